"""Hopping windows: what a larger width costs."""
