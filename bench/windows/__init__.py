"""One-minute windows by country, against peers."""
