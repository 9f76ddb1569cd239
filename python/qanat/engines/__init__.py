"""Engines that can run a pipeline; the native one is ours."""
