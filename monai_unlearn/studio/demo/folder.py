"""The folder of a demo: what lies where, and that it is one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError
from monai_unlearn.staging import write_json

if TYPE_CHECKING:
    from pathlib import Path

MARK = "demo.json"
_WHAT = "a demo of monai-unlearn studio"
_VERSION = 1


@dataclass(frozen=True)
class DemoFolder:
    """The places in the folder of a demo.

    >>> from pathlib import Path
    >>> DemoFolder(Path("visitor"), shared=Path("demo")).index.as_posix()
    'demo/index'

    Attributes:
        root: The folder.
        shared: The folder of another demo, whose studies, index and bundle are used; by default the same.
    """

    root: Path
    shared: Path = field(default=None)  # type: ignore[assignment]  # the root, below

    def __post_init__(self) -> None:
        object.__setattr__(self, "shared", self.shared or self.root)

    @property
    def studies(self) -> Path:
        """The phantom studies."""
        return self.shared / "studies"

    @property
    def index(self) -> Path:
        """Their index."""
        return self.shared / "index"

    @property
    def bundle(self) -> Path:
        """The bundle that was trained on them."""
        return self.shared / "bundle"

    @property
    def work(self) -> Path:
        """The studio's own folder."""
        return self.root / "studio"

    @property
    def store(self) -> Path:
        """The store of deployed versions, with its ledger."""
        return self.root / "deployed"

    @property
    def keys(self) -> Path:
        """The keys of those who sign."""
        return self.root / "keys"

    def claim(self) -> None:
        """Make it a folder of a demo, or go on with one.

        Raises:
            InputError: It holds something else, or cannot be written.
        """
        mark = self.root / MARK
        try:
            if not mark.exists():
                if self.root.exists() and (not self.root.is_dir() or any(self.root.iterdir())):
                    raise InputError(
                        f"{self.root}: expected a new or empty folder, or one of an earlier demo, found something "
                        "else. Name another; nothing was changed."
                    )
                self.root.mkdir(parents=True, exist_ok=True)
                self.root.chmod(0o700)
                write_json(mark, {"what": _WHAT, "schema_version": _VERSION})
            elif _read(mark) != _VERSION:
                raise InputError(
                    f"{self.root}: its {MARK} is not of a demo of this version. Name another folder; nothing was "
                    "changed."
                )
        except OSError as error:
            raise InputError(f"{self.root}: cannot be written ({error.strerror}). Name another folder.") from None


def _read(mark: Path) -> int | None:
    """Return the version of a demo; None where the file says something else."""
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return found.get("schema_version") if isinstance(found, dict) and found.get("what") == _WHAT else None
