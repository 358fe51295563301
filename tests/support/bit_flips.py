"""Flips single bits of the files of an index, and says what becomes of a cohort."""

from __future__ import annotations

import os
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from monai_unlearn.cohort.query import identity
from monai_unlearn.cohort.query.connection import close_idle
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.errors import UnlearnError
from monai_unlearn.index import Index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monai_unlearn.cohort import CohortSpec

REFUSED = "refused"


class Flip(NamedTuple):
    """One bit of one file."""

    path: Path
    offset: int
    bit: int


def flips(directory: Path, count: int, *, seed: int) -> list[Flip]:
    """Choose bits at random: each file of the index is as likely as another, and each bit within it."""
    draw = random.Random(seed)  # noqa: S311 - not for security
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    chosen = [draw.choice(files) for _ in range(count)]
    return [Flip(path, draw.randrange(path.stat().st_size), draw.randrange(8)) for path in chosen]


@contextmanager
def flipped(flip: Flip) -> Iterator[None]:
    """Flip a bit within the block; size and time of the file stay as they were, and afterwards its content is back."""
    content, state = flip.path.read_bytes(), flip.path.stat()

    def write(data: bytes) -> None:
        flip.path.write_bytes(data)
        os.utime(flip.path, ns=(state.st_atime_ns, state.st_mtime_ns))

    changed = bytearray(content)
    changed[flip.offset] ^= 1 << flip.bit
    write(bytes(changed))
    try:
        yield
    finally:
        write(content)


def cohort_digest(directory: Path, spec: CohortSpec, *, trust: bool = False) -> str:
    """Return the digest of a cohort's manifest; `REFUSED` where the index or the cohort is refused."""
    identity._KEPT.clear()  # a new process has nothing kept
    close_idle()
    try:
        return digest_of(spec.resolve(Index.open(directory, trust=trust)).manifest)
    except UnlearnError:
        return REFUSED
