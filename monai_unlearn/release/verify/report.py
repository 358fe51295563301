"""What a check of a release found: one line a fault, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kind(IntEnum):
    """What a fault means; its number is the exit code of `monai-unlearn verify`."""

    TAMPERED = 3
    WRONG_KEY = 4
    UNSIGNED = 5


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that is not as it was released.

    Attributes:
        kind: What it means.
        file: The file, by its path within the bundle.
        what: What was expected and what was found, with digests.
        extra: Whether the file is not part of the release.
    """

    kind: Kind
    file: str
    what: str
    extra: bool = False

    @property
    def line(self) -> str:
        """The fault in one line."""
        return f"{self.file}: {self.what}".replace("\n", "\\n").replace("\r", "\\r")

    def to_dict(self) -> dict[str, str]:
        """Return the fault as plain values."""
        return {"kind": self.kind.name.lower(), "file": self.file, "message": self.line}


def tampered(file: str, what: str, *, extra: bool = False) -> Fault:
    """Return a fault of a file that is not as it was released."""
    return Fault(kind=Kind.TAMPERED, file=file, what=what, extra=extra)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `verify` found.

    Attributes:
        bundle: The folder of the bundle.
        name: The name of the bundle; empty where its metadata cannot be read.
        version: Its version; empty as well.
        verdict: The verdict on its card; None where it has no card.
        advice: What its card says to do; None where it has no card, or one that says nothing.
        weights_digest: The digest of its weights; None where they cannot be read.
        faults: What is not as it was released.
        warnings: What could not be checked.
    """

    bundle: str
    name: str
    version: str
    verdict: str | None
    advice: str | None = None
    weights_digest: str | None
    faults: Sequence[Fault]
    warnings: Sequence[str]

    @property
    def exit_code(self) -> int:
        """0 for a sound release; otherwise the lowest code of a fault."""
        return min((int(fault.kind) for fault in self.faults), default=0)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {
            "bundle": self.bundle,
            "name": self.name,
            "version": self.version,
            "verdict": self.verdict,
            "weights_digest": self.weights_digest,
            "sound": not self.faults,
            "exit_code": self.exit_code,
            "faults": [fault.to_dict() for fault in self.faults],
            "warnings": list(self.warnings),
        }
