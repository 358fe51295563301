"""Hashes all files of an index again, and names each that is not the one that the index was written with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.store.check_files import remedy
from monai_unlearn.index.store.file_digest import file_digest
from monai_unlearn.index.store.seal import SEAL, seal_of
from monai_unlearn.index.store.store import DOCUMENT, PARTS, inside, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class BadFile:
    """A file of an index that is not as it was written.

    Attributes:
        file: Its name within the folder of the index.
        problem: `changed`, `missing` or `unreadable`.
        expected: The digest that it must have, or as much as is known of it.
        got: The digest that it has; null if it cannot be read.
    """

    file: str
    problem: str
    expected: str | None
    got: str | None


@dataclass(frozen=True)
class Verification:
    """What `verify_index` found.

    Attributes:
        index: The folder.
        files: How many files were compared.
        hashed: The bytes that were read and hashed.
        seconds: What that took.
        bad: The files that are not as they were written.
    """

    index: Path
    files: int
    hashed: int
    seconds: float
    bad: tuple[BadFile, ...]

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return {
            "index": str(self.index),
            "sound": not self.bad,
            "files": self.files,
            "bytes_hashed": self.hashed,
            "seconds": round(self.seconds, 4),
            "bad": [vars(file) for file in self.bad],
        }


def verify_index(directory: Path) -> Verification:
    """Compare `index.json` and every file that it names with their digests; nothing is taken from the cache.

    Where `index.json` itself was changed, the other files are compared with the digests in their names.

    Args:
        directory: The folder of the index.

    Raises:
        IndexReadError: There is no index, or its `index.json` cannot be read at all.
    """
    started = time.perf_counter()
    document = read_json(directory)
    seal = seal_of(document)
    bad = [] if document.get(SEAL) == seal else [BadFile(DOCUMENT, "changed", _text(document.get(SEAL)), seal)]
    hashed = (directory / DOCUMENT).stat().st_size
    files = dict(_by_name(directory) if bad else _stated(directory, document))
    for name, expected in files.items():
        path = directory / name
        try:
            got, size = file_digest(path), path.stat().st_size
        except FileNotFoundError:
            bad.append(BadFile(name, "missing", expected, None))
        except OSError:
            bad.append(BadFile(name, "unreadable", expected, None))
        else:
            hashed += size
            if not got.startswith(expected):
                bad.append(BadFile(name, "changed", expected, got))
    return Verification(directory, len(files) + 1, hashed, time.perf_counter() - started, tuple(bad))


def _stated(directory: Path, document: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the digests that a sound document states.

    Raises:
        IndexReadError: It states none, or of files elsewhere.
    """
    try:
        digests: dict[str, str] = document["digests"]
        return {str(name): str(digests[name]) for name in digests if inside(directory, name)}
    except (KeyError, TypeError, ValueError):
        raise IndexReadError(
            f"{directory / DOCUMENT}: expected the digest of each file under `digests`, got other content. "
            f"{remedy(directory)}"
        ) from None


def _by_name(directory: Path) -> Iterator[tuple[str, str]]:
    """Yield the Parquet files that lie in the folder, with the beginning of the digest that their names state."""
    for path in sorted([*directory.glob("*.parquet"), *(directory / PARTS).glob("*.parquet")]):
        yield path.relative_to(directory).as_posix(), f"sha256:{path.stem.rpartition('-')[2]}"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
