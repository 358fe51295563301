"""What a field stands for on the columns of one index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monai_unlearn.vocabulary.fields import Kind
    from monai_unlearn.vocabulary.units import Unit


@dataclass(frozen=True)
class Bound:
    """What a field stands for in one index: the first of these columns that an image has.

    Attributes:
        columns: The columns, each with the kind of its own values.
        kind: What the values compare as; datetimes compare as dates.
        unit: The unit of numbers, where it is declared.
        many: Whether the values are texts that DICOM may join by backslashes.
    """

    columns: tuple[tuple[str, Kind], ...]
    kind: Kind
    unit: Unit | None = None
    many: bool = False
