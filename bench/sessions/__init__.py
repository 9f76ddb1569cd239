"""Sessions by user, against peers."""
