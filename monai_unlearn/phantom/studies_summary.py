"""Summarise a set of studies: counts of its images, and the command that indexes them."""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.phantom.folder import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import Enum
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Summary(ABC):
    """Counts of what was written.

    Attributes:
        out: The folder.
        size: Pixels across every image.
        devices: Images by the model that took them, whether or not the file names it.
        diagnoses: Images by diagnosis.
        lacking: Images by the missing tag: a device, a date, an age, or what else this kind may lack.
    """

    out: Path
    seed: int
    size: int
    patients: int
    images: int
    devices: dict[str, int]
    diagnoses: dict[str, int]
    lacking: dict[str, int]

    @property
    def labels(self) -> Path:
        """The table of diagnoses, keyed by image."""
        return self.out / LABELS

    @property
    @abstractmethod
    def next_command(self) -> str:
        """The shell command that indexes these studies."""

    def index_command(self, source: Path, *options: str) -> str:
        """Return the shell command that indexes the images of a folder with the table of diagnoses."""
        paths = [str(source), "--out", f"{self.out}_index", "--table", str(self.labels)]
        return shlex.join(["monai-unlearn", "index", "build", *paths, *options])

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return {**asdict(self), "out": str(self.out), "labels": str(self.labels), "next": self.next_command}


def count_models(models: Iterable[str]) -> dict[str, int]:
    """Return the number of images that each model took, by name."""
    return dict(sorted(Counter(models).items()))


def count_kinds(found: Iterable[Enum | None], kinds: type[Enum]) -> dict[str, int]:
    """Return the number of images of each kind, zeros included, in the order of the kinds; None is not counted."""
    counts = Counter(found)
    return {kind.value: counts[kind] for kind in kinds}
