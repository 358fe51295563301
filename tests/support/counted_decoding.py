"""A transform that decodes the numbers in a file, and counts how often."""

from __future__ import annotations

import torch
from monai.transforms import MapTransform


class Decoded(MapTransform):
    """Decode the numbers in a file, and count how often that is done, also in other processes."""

    def __init__(self, *, log=None, random=None):
        super().__init__("image")
        self.log, self.random = log, random

    def __call__(self, item):
        if self.log:
            with open(self.log, "a", encoding="ascii") as stream:  # noqa: PTH123 - each line is appended at once
                stream.write(f"{item['row']}\n")
        with open(item["image"], "rb") as stream:  # noqa: PTH123 - as above
            return {**item, "image": torch.tensor(list(stream.read()), dtype=torch.float32)}


def write_items(folder, n=6):
    folder.mkdir(exist_ok=True)
    for row in range(n):
        (folder / f"{row}.raw").write_bytes(bytes([row, 2 * row, 7]))
    return [
        {"image": str(folder / f"{row}.raw"), "label": row % 2, "image_id": f"i{row}", "row": row} for row in range(n)
    ]


def decoded(log):
    """Return the rows that were decoded, sorted."""
    return sorted(map(int, log.read_text().split())) if log.exists() else []
