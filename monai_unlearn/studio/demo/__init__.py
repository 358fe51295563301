"""The studio's demo: synthetic studies, a classifier trained on them, and a camera that is to be forgotten."""
