"""Real files, damaged: flipped, cut, spliced, repeated, lengthened, their lengths and magic numbers overwritten."""

from __future__ import annotations

import gzip
import io
import random
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from nibabel.nifti1 import Nifti1Image
from PIL import Image

from monai_unlearn.phantom import write_fundus_studies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST = 256 * 1024
_LENGTHS = (0, 1, 0x7F, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
# Tags, items and delimiters: what a DICOM reader takes for structure.
_STRUCTURE = (
    b"DICM",
    b"SQ\0\0\xff\xff\xff\xff",
    b"UN\0\0\xff\xff\xff\xff",
    struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF),
    struct.pack("<HHL", 0xFFFE, 0xE00D, 0),
    struct.pack("<HHL", 0xFFFE, 0xE0DD, 0),
    struct.pack("<HHL", 0x7FE0, 0x0010, 0xFFFFFFFF),
    b"1.2.840.10008.1.2.1.99\0",
    b"1.2.840.10008.1.2.2\0",
    b"ISO 2022 IR 149\\ISO_IR 999",
    b"\x1b$)C",
    b"\\" * 40,
)


def originals(folder: Path, *, real_data: str | None) -> list[bytes]:
    """Return real files of at most `LARGEST` bytes: pydicom's, phantoms, other formats, and MR if available.

    Args:
        folder: Where the phantoms may be written.
        real_data: The folder of real data, if available.
    """
    write_fundus_studies(folder, patients=2, seed=0, size=64)
    folders = [Path(pydicom.__file__).parent / "data", folder]
    folders += [Path(real_data) / "dicom_mr"] if real_data else []
    files = [path for root in folders for path in sorted(root.rglob("*")) if path.is_file() and path.suffix != ".py"]
    return [path.read_bytes() for path in files if 0 < path.stat().st_size <= LARGEST] + list(_other_formats())


def mutants(files: Sequence[bytes], *, count: int, seed: int = 0) -> Iterator[bytes]:
    """Yield damaged files: each original in turn, with one to three mutations."""
    random_ = random.Random(seed)  # noqa: S311 - seeded damage, no secrets
    order = [number % len(files) for number in range(count)]
    random_.shuffle(order)
    for number in order:
        content = files[number]
        for _ in range(random_.randint(1, 3)):
            content = random_.choice(_MUTATIONS)(content, random_, files)
        yield content[: 2 * LARGEST]


def _flip(content: bytes, random_: random.Random, _files: Sequence[bytes]) -> bytes:
    damaged = bytearray(content)
    for _ in range(random_.randint(1, 8) if damaged else 0):
        damaged[_place(damaged, random_)] ^= 1 << random_.randrange(8)
    return bytes(damaged)


def _cut(content: bytes, random_: random.Random, _files: Sequence[bytes]) -> bytes:
    return content[: _place(content, random_)]


def _drop(content: bytes, random_: random.Random, _files: Sequence[bytes]) -> bytes:
    start = _place(content, random_)
    return content[:start] + content[start + random_.randint(1, 64) :]


def _splice(content: bytes, random_: random.Random, files: Sequence[bytes]) -> bytes:
    other = random_.choice(files)
    return content[: _place(content, random_)] + other[_place(other, random_) :]


def _repeat(content: bytes, random_: random.Random, _files: Sequence[bytes]) -> bytes:
    start = _place(content, random_)
    repeated = content[start : start + random_.choice((2, 8, 40, 400, 4000))]
    return content[:start] + repeated * random_.choice((2, 10, 100)) + content[start:]


def _lengthen(content: bytes, random_: random.Random, _files: Sequence[bytes]) -> bytes:
    return content + random_.randbytes(random_.choice((1, 7, 8, 200, 5000)))


def _overwrite_length(content: bytes, random_: random.Random, _files: Sequence[bytes]) -> bytes:
    size = random_.choice((2, 4))
    number = random_.choice(_LENGTHS) % (1 << 8 * size)
    return _put(content, _place(content, random_), number.to_bytes(size, "little"))


def _overwrite_structure(content: bytes, random_: random.Random, _files: Sequence[bytes]) -> bytes:
    return _put(content, _place(content, random_), random_.choice(_STRUCTURE))


_MUTATIONS = (_flip, _cut, _drop, _splice, _repeat, _lengthen, _overwrite_length, _overwrite_structure)


def _place(content: bytes | bytearray, random_: random.Random) -> int:
    """Choose a place; every other one is among the first two thousand bytes, where headers are."""
    end = min(len(content), 2000) if random_.random() < 0.5 else len(content)
    return random_.randrange(end) if end else 0


def _put(content: bytes, at: int, replacement: bytes) -> bytes:
    return content[:at] + replacement + content[at + len(replacement) :]


def _other_formats() -> Iterator[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    for name in ("JPEG", "PNG", "TIFF", "BMP"):
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, format=name)
        yield stream.getvalue()
    volume = Nifti1Image(pixels, np.eye(4)).to_bytes()
    yield volume
    yield gzip.compress(volume, mtime=0)
