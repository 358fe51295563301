"""Pictures whose files have all the same size, and swaps of their contents that leave size and time as they were."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tiny import write_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def write_bitmaps(folder: Path, *, patients: int = 24) -> pd.DataFrame:
    """Write the tiny cohort as bitmaps, whose size follows from that of the picture; return its table."""
    frame = write_images(folder, patients=patients)
    for path in map(Path, frame["path"]):
        with Image.open(path) as image:
            Image.fromarray(np.asarray(image)).save(path.with_suffix(".bmp"))
        path.unlink()
    return frame.assign(path=[str(Path(path).with_suffix(".bmp")) for path in frame["path"]])


def swap(first: str, second: str, *, keep_times: bool = True) -> None:
    """Swap the contents of two files."""
    paths = [Path(first), Path(second)]
    contents, stats = [path.read_bytes() for path in paths], [path.stat() for path in paths]
    for path, content, stat in zip(paths, reversed(contents), stats, strict=True):
        path.write_bytes(content)
        if keep_times:
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def swap_pairs(paths: Sequence[str], *, keep_times: bool = True) -> None:
    """Swap the first with the second, the third with the fourth, and so on."""
    for first, second in zip(paths[::2], paths[1::2], strict=True):
        swap(first, second, keep_times=keep_times)
