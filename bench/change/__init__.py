"""A small change into a view with a large past; a large state restored."""
