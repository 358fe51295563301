"""What a command wrote: the images of a set counted, and the command that indexes them."""

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
    """What was written.

    Attributes:
        out: The folder.
        size: Pixels across every image.
        devices: Images by the model that took them, named in the file or not.
        diagnoses: Images by diagnosis.
        lacking: Images that lack the tag of a device, a date or an age, or whatever else this kind may lack.
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
        """The table of diagnoses, by what identifies an image."""
        return self.out / LABELS

    @property
    @abstractmethod
    def next_command(self) -> str:
        """The command that indexes these studies, for a shell."""

    def index_command(self, source: Path, *options: str) -> str:
        """Return the command that indexes the images of a folder with the table of diagnoses, for a shell."""
        paths = [str(source), "--out", f"{self.out}_index", "--table", str(self.labels)]
        return shlex.join(["monai-unlearn", "index", "build", *paths, *options])

    def document(self) -> dict[str, Any]:
        """Return the summary as plain values, for JSON."""
        return {**asdict(self), "out": str(self.out), "labels": str(self.labels), "next": self.next_command}


def count_models(models: Iterable[str]) -> dict[str, int]:
    """Return how many images each model took, by name."""
    return dict(sorted(Counter(models).items()))


def count_kinds(found: Iterable[Enum | None], kinds: type[Enum]) -> dict[str, int]:
    """Return how many images are of each kind, also where none is, in the order of the kinds; None counts nowhere."""
    counts = Counter(found)
    return {kind.value: counts[kind] for kind in kinds}
