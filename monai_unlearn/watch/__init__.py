"""A consent service: what is dropped into a folder becomes a revision, within the bounds of a rehearsed protocol."""
