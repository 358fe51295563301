"""The parts of a cohort and the splits of a data set, in the order in which every table lists them."""

PARTS = ("forget", "remain", "undetermined")
"""Every readable image of the population is in exactly one part."""

SPLITS = ("train", "validation", "test")
"""Splits are independent of parts: a part has images in each split; a patient is in one split only."""
