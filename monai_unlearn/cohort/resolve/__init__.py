"""A spec on an index: three parts, attrition, samples, splits, guards, manifest."""
