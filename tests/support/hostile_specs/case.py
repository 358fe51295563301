"""How a hostile spec, or one that only looks hostile, is described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OUTSIDE = "outside"  # a folder beside the spec's folder: nothing may read it
SECRET = "S3CR3T-of-somebody-else"  # noqa: S105 - the content of its files, to be found if it leaks


@dataclass(frozen=True)
class Hostile:
    """A spec that must be refused.

    Attributes:
        id: What tests and benchmarks call it.
        tries: What its author is after.
        content: The content of the spec's file, or what creates it.
        says: A regular expression that the message must match, so that the spec is refused for the right reason.
        line: Whether the message must name the line; it cannot for a file that is not text, or too large.
        index: Whether it takes an index to find the fault: syntax and types are right, but the field is not a column.
        beside: Creates further files, given the spec's folder.
    """

    id: str
    tries: str
    content: bytes | str | Callable[[], bytes | str]
    says: str
    line: bool = True
    index: bool = False
    beside: Callable[[Path], None] | None = None

    def write(self, folder: Path) -> Path:
        """Write the spec, and what lies beside it, into an empty folder."""
        return write(self.content, self.beside, folder)


@dataclass(frozen=True)
class Harmless:
    """A spec that looks hostile and is plain data: it must do what it says, and nothing else.

    Attributes:
        id: What tests call it.
        looks: What a reader may take it for.
        content: The content of the spec's file, or what creates it.
        device: A device of the index that the spec forgets; None, where it forgets the device `old`.
        beside: Creates further files, given the spec's folder.
    """

    id: str
    looks: str
    content: bytes | str | Callable[[], bytes | str]
    device: str | None = None
    beside: Callable[[Path], None] | None = None

    def write(self, folder: Path) -> Path:
        """Write the spec, and what lies beside it, into an empty folder."""
        return write(self.content, self.beside, folder)


def write(
    content: bytes | str | Callable[[], bytes | str], beside: Callable[[Path], None] | None, folder: Path
) -> Path:
    """Write a spec into `folder/specs`, with a secret beside that folder."""
    (folder / OUTSIDE).mkdir()
    (folder / OUTSIDE / "patients.txt").write_text(f"{SECRET}\n", encoding="utf-8")
    specs = folder / "specs"
    specs.mkdir()
    if beside:
        beside(specs)
    made = content() if callable(content) else content
    path = specs / "spec.yaml"
    path.write_bytes(made if isinstance(made, bytes) else made.encode("utf-8"))
    return path


def spec(**keys: str | None) -> str:
    """Return a spec that is valid except for these keys, whose values are YAML; None leaves a key out."""
    valid = {"schema_version": "1", "name": "hostile", "reason": "other", "forget": "device == old"}
    return "".join(f"{key}: {value}\n" for key, value in {**valid, **keys}.items() if value is not None)


def quoted(text: str) -> str:
    """Return any text as a YAML value."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text) + '"'


def forget(predicate: str, **keys: str | None) -> str:
    """Return a valid spec of this predicate."""
    return spec(**{"forget": quoted(predicate), **keys})
