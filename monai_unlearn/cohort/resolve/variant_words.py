"""How many other spellings a value of a spec has in an index, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.folding import visible

if TYPE_CHECKING:
    from collections.abc import Mapping


def variant_words(entry: Mapping[str, Any]) -> str:
    """Return what `Variants.counts` returns as a sentence.

    >>> entry = {"field": "device", "value": "Biograph64", "spellings": 2, "images": 600}
    >>> variant_words({**entry, "not_caught": {"spellings": 1, "images": 589}})
    '“Biograph64” (device) has 2 other spellings, in 600 images; 1 of them, in 589 images, is not taken as equal.'
    >>> variant_words({**entry, "not_caught": {"spellings": 0, "images": 0}})
    '“Biograph64” (device) has 2 other spellings, in 600 images; all are taken as equal.'
    """
    missed = entry["not_caught"]
    all_are = "it is" if entry["spellings"] == 1 else "all are"
    are = "is" if missed["spellings"] == 1 else "are"
    said = f"{missed['spellings']:,} of them, in {counted(missed['images'], 'image')}, {are} not taken as equal"
    if not missed["spellings"]:
        said = f"{all_are} taken as equal"
    elif missed["spellings"] == entry["spellings"]:
        said = "it is not taken as equal" if entry["spellings"] == 1 else "none is taken as equal"
    head = f"“{visible(entry['value'])}” ({entry['field']}) has {counted(entry['spellings'], 'other spelling')}"
    return f"{head}, in {counted(entry['images'], 'image')}; {said}."
