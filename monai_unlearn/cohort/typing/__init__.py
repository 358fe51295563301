"""What fields and values mean on the columns of one index: kinds, units, and what may be compared."""
