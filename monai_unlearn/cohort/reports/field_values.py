"""The values that an index has of a field, with their counts: of fields that identify nobody alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.predicate import Exists
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.query.spellings import count_spellings
from monai_unlearn.cohort.resolve.resolve import bound_in
from monai_unlearn.errors import SpecError
from monai_unlearn.vocabulary.fields import Kind, vocabulary
from monai_unlearn.vocabulary.privacy import may_show_values

if TYPE_CHECKING:
    from monai_unlearn.index import Index


def field_values(index: Index, name: str) -> dict[str, int]:
    """Return how many usable images have each value of a text field, the most frequent first.

    A field that the index lacks, that holds no text, or that may identify somebody has none to show.

    Args:
        index: The index.
        name: The field, as a spec would name it.

    Raises:
        IndexReadError: The index cannot be read.
    """
    try:
        bound = bound_in(index, [Exists(Field(name))], name="field")
    except (SpecError, ValueError):  # no such field, or no name of one
        return {}
    found = bound[name]
    names = [name, *(column for column, _ in found.columns)]
    if found.kind is not Kind.TEXT or not all(map(may_show_values, names)):
        return {}
    return count_spellings(index, {name: None}, bound)[name]


def field_names(index: Index) -> dict[str, str]:
    """Return the fields that a spec may name in an index, each with what it is: aliases first, then columns."""
    known = vocabulary()
    usable = {
        alias: f"alias of {', or else '.join(word for word in words if word in index.columns)}"
        for alias, words in known.aliases.items()
        if index.columns.keys() & set(words)
    }
    return usable | {name: kind.value for name, kind in index.columns.items() if name not in usable}
