"""What a fetch did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class FetchReport:
    """What a fetch did.

    Attributes:
        folder: The folder of images.
        wanted: How many images were asked for.
        fetched: How many came now.
        present: How many were there already.
        missing: How many the archive no longer has.
        faulty: How many files the archive has that are not the image or not whole, by fault.
        left: How many were not asked for because the budget is used up.
        on_demand: How many will be fetched when they are first used.
        bytes: The size of all files of the cohort that are there.
    """

    folder: Path
    wanted: int
    fetched: int = 0
    present: int = 0
    missing: int = 0
    faulty: Counter[str] = field(default_factory=Counter)
    left: int = 0
    on_demand: int = 0
    bytes: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every image that was asked for is there, or will be fetched."""
        return self.fetched + self.present + self.on_demand == self.wanted

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return {**vars(self), "folder": str(self.folder), "faulty": dict(self.faulty), "whole": self.is_whole}
