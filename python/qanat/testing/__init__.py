"""Runs a pipeline inside a test and asks what came of it. Works under any test runner."""

from qanat.testing.runs import Run, run

__all__ = ["Run", "run"]
