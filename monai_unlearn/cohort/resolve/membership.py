"""Which rows of an index are in which part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.cohort.query.answers import Mask
    from monai_unlearn.cohort.resolve.strata import Strata


@dataclass(frozen=True)
class Membership:
    """Which rows of an index are in which part, one entry per row in each mask; no row is in two parts.

    Attributes:
        forget: The images to forget.
        remain: The images that remain.
        undetermined: The images that are used for neither.
        strata: What a stratified sample drew of each stratum; None without one.
    """

    forget: Mask
    remain: Mask
    undetermined: Mask
    strata: Strata | None = None

    def items(self) -> Iterator[tuple[str, Mask]]:
        """Yield the parts' names and masks."""
        yield from ((part, getattr(self, part)) for part in PARTS)
