"""Reads what a pipeline stored: tables as SQL views, dead letters by reason. Writes nothing."""
