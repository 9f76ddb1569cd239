"""Connectors and formats as users write them: where bytes come from, and how they become columns."""
