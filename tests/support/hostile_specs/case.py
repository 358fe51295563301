"""How a spec that means harm, or only looks like it, is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OUTSIDE = "outside"  # a folder beside the spec's folder: nothing may read it
SECRET = "S3CR3T-of-somebody-else"  # noqa: S105 - what stands in its files, to be found if it leaks


@dataclass(frozen=True)
class Hostile:
    """A spec that must be refused.

    Attributes:
        id: What tests and benchmarks call it.
        tries: What its author is after.
        content: The spec's file, or what makes it.
        says: A regular expression that the message must hold: it is refused for the right reason.
        line: Whether the message must name the line; a file that is no text, or too large, has none.
        index: Whether only an index can tell: syntax and types are right, but the field is none.
        beside: What makes further files, given the spec's folder.
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
    """A spec that looks like harm and is data: it must do what it says, and nothing else.

    Attributes:
        id: What tests call it.
        looks: What a reader may fear.
        content: The spec's file, or what makes it.
        device: A device of the index that the spec forgets; None, where it forgets the device `old`.
        beside: What makes further files, given the spec's folder.
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
    """Return a spec that is valid but for these keys, whose values are YAML; None leaves a key out."""
    valid = {"schema_version": "1", "name": "hostile", "reason": "other", "forget": "device == old"}
    return "".join(f"{key}: {value}\n" for key, value in {**valid, **keys}.items() if value is not None)


def quoted(text: str) -> str:
    """Return a text as a YAML value, whatever is in it."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text) + '"'


def forget(predicate: str, **keys: str | None) -> str:
    """Return a valid spec of this predicate."""
    return spec(**{"forget": quoted(predicate), **keys})
