"""Events joined with a table of a million users, against peers."""
