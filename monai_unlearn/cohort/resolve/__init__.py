"""Resolving a spec on an index: parts, attrition, samples, splits, guards, manifest."""
