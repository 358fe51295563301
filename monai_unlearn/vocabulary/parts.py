"""The parts of a cohort and the splits of a data set: one order, one spelling, for every room."""

PARTS = ("forget", "remain", "undetermined")
"""Every readable image of the population is in exactly one part."""

SPLITS = ("train", "validation", "test")
"""Parts and splits are independent: each part has images in each split, and a patient is in one split only."""
