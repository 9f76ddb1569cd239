"""What users write: declarations, and what becomes of them before the engine sees them."""
