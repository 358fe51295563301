"""What people read about cohorts: explanations, comparisons, rechecks, suppressed counts."""
