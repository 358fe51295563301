"""Look up the items of a DICOM structured report."""

from __future__ import annotations


def items(dataset):
    """Yield all items below a data set."""
    for item in dataset.get("ContentSequence", ()):
        yield item
        yield from items(item)


def named(report, meaning):
    """Return the items whose concept has this meaning."""
    return [item for item in items(report) if item.ConceptNameCodeSequence[0].CodeMeaning == meaning]
