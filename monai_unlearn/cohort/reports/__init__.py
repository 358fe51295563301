"""Reports on cohorts for people: explanations, comparisons, rechecks, suppressed counts."""
