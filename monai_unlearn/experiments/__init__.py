"""Many bundle runs, each a process of its own: planned, run, scored and reported. Never loads torch."""
