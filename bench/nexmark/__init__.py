"""Nexmark, against peers and against published figures."""
