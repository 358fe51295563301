"""Attrition: how many images, studies and patients each step keeps, from the index to the forget part."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.cohort.query.answers import Answers, Mask


class RowKind(str, Enum):
    """Which step of resolving a row of the attrition is."""

    READABLE = "readable"
    POPULATION = "population"
    RULE = "rule"
    UNKNOWN = "unknown"
    SCOPE = "scope"
    SAMPLE = "sample"

    @property
    def adds_images(self) -> bool:
        """Whether the step adds images to those to forget; every other step only removes some."""
        return self in {RowKind.UNKNOWN, RowKind.SCOPE}


@dataclass(frozen=True, kw_only=True)
class AttritionRow:
    """One step from the index to the forget part.

    A patient or study counts where one of its images does; images without the identifier count as no patient or
    study.

    Attributes:
        kind: Which step it is; not part of the documents that `to_dict` goes into.
        rule: The step as a reader sees it, without values that identify somebody.
        images_in: How many images entered the step.
        images_out: How many images the step passes on towards the forget part; a scope may add some.
        studies_in: How many studies the entering images belong to.
        studies_out: How many studies the images passed on belong to.
        patients_in: How many patients the entering images belong to.
        patients_out: How many patients the images passed on belong to.
        images_unknown: For how many of the entering images the rule is unknown, because a value is missing. For a
            scope or a sample: how many further images it leaves undetermined, because they lack the identifier or
            share it with an undetermined image. An image that a later rule excludes counts here and yet remains.
    """

    kind: RowKind
    rule: str
    images_in: int
    images_out: int
    studies_in: int
    studies_out: int
    patients_in: int
    patients_out: int
    images_unknown: int = 0

    def to_dict(self) -> dict[str, str | int]:
        """Return the row as plain values, without its kind."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "kind"}


class Attrition:
    """Counts the images that are still to be forgotten after each step."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        units = answers.units
        self._count = (len(answers.readable), units["study"].present, units["patient"].present)
        self._rows: list[AttritionRow] = []

    @property
    def rows(self) -> tuple[AttritionRow, ...]:
        """The steps so far."""
        return tuple(self._rows)

    def note(self, kind: RowKind, rule: str, mask: Mask, *, unknown: Mask | None = None) -> None:
        """Add a step.

        Args:
            kind: Which step it is.
            rule: The step as a reader sees it.
            mask: The images that it passes on, shape (rows,).
            unknown: The images that it could not decide, shape (rows,).
        """
        images, studies, patients = self._tally(mask)
        before = self._count
        self._rows.append(
            AttritionRow(
                kind=kind,
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


def as_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows, as plain values, as lines of an error message."""
    return "\n".join(f"  {row['images_in']:>9} → {row['images_out']:<9} {row['rule']}" for row in rows)
