"""Many bundle runs, each in its own process: planned, run, scored and reported. Never loads torch."""
