"""Rule by rule, how many images, studies and patients go in and come out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.cohort.query.answers import Answers, Mask


@dataclass(frozen=True, kw_only=True)
class AttritionRow:
    """One rule of the way from the index to the forget part.

    Patients and studies count where an image of theirs does; images without the identifier count for none.

    Attributes:
        rule: What was asked; values that identify somebody are left out.
        images_in: How many images came to the rule.
        images_out: How many it lets through to the forget part; a scope adds to them.
        studies_in: How many studies these are of.
        studies_out: How many studies those are of.
        patients_in: How many patients these are of.
        patients_out: How many patients those are of.
        images_unknown: How many of the images that came it could not tell of, because a value is missing. For a
            scope: how many others it leaves undetermined, because they lack the identifier, or share it with
            an undetermined image. An image that a later rule excludes counts here and yet remains.
    """

    rule: str
    images_in: int
    images_out: int
    studies_in: int
    studies_out: int
    patients_in: int
    patients_out: int
    images_unknown: int = 0

    def to_dict(self) -> dict[str, str | int]:
        """Return the row as plain values."""
        return asdict(self)


class Attrition:
    """Follows the images that are still meant, and notes what each rule makes of them."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._count = self._tally(np.ones(len(answers.readable), dtype=bool))
        self._rows: list[AttritionRow] = []

    @property
    def rows(self) -> tuple[AttritionRow, ...]:
        """The rules so far."""
        return tuple(self._rows)

    def note(self, rule: str, mask: Mask, *, unknown: Mask | None = None) -> None:
        """Note which images come out of a rule, and of which it could not tell."""
        images, studies, patients = self._tally(mask)
        before = self._count
        self._rows.append(
            AttritionRow(
                rule=rule,
                images_in=before[0],
                images_out=images,
                studies_in=before[1],
                studies_out=studies,
                patients_in=before[2],
                patients_out=patients,
                images_unknown=0 if unknown is None else int(unknown.sum()),
            )
        )
        self._count = (images, studies, patients)

    def _tally(self, mask: Mask) -> tuple[int, int, int]:
        units = self._answers.units
        return int(mask.sum()), units["study"].distinct(mask), units["patient"].distinct(mask)


def as_text(rows: Sequence[AttritionRow]) -> str:
    """Return the rows as lines that fit into an error message."""
    return "\n".join(f"  {row.images_in:>9} → {row.images_out:<9} {row.rule}" for row in rows)
