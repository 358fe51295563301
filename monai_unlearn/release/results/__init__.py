"""Results in an archive: which version of a model they came from, marking them, and sending them. Never loads torch."""
