"""The cohort spec: its schema, its faults, its value sets, its canonical form."""
