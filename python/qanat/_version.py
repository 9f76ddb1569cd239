"""The one place that names the version; the wheel and the C++ core take it from here."""

__version__ = "0.1.0"
