"""What is known about a spec without an index; apart from `explain`, so that checking a spec loads no database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.typing.bind import examine
from monai_unlearn.cohort.typing.columns import Columns, name_in_an_index
from monai_unlearn.errors import did_you_mean
from monai_unlearn.vocabulary.fields import vocabulary

if TYPE_CHECKING:
    from monai_unlearn.cohort.spec.spec import CohortSpec


def validate(spec: CohortSpec) -> dict[str, Any]:
    """Return what is known about a valid spec without an index, as plain values."""
    bound, _ = examine(spec.predicates, Columns.of_any_index(), value_sets=spec.value_sets)
    assumed = [name for name, found in bound.items() if found is None]
    return {
        "valid": True,
        "name": spec.name,
        "reason": spec.reason.value,
        "digest": spec.digest,
        "rules": [rule.render(private=True) for rule in spec.rules],
        "fields": sorted(bound),
        "columns_needed": sorted(assumed),
        "notes": [_note(name) for name in sorted(assumed)],
    }


def _note(name: str) -> str:
    known = vocabulary().names
    if other := name_in_an_index(name):
        return f"An index calls '{name}' '{other}': write {other}, unless the index has a column '{name}' of its own."
    return f"'{name}' is not a DICOM keyword: the index must have a column of this name.{did_you_mean(name, known)}"
