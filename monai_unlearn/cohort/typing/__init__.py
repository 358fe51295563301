"""What fields and values mean in one index: their columns, kinds and units, and which comparisons are valid."""
