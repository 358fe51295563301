"""A cohort small enough to train on within a second: two devices, two classes, 24 patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from monai_unlearn.index import Index, write_index
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """\
schema_version: 1
name: retire-old
reason: device_deprecation
forget: ManufacturerModelName == Old
"""


def write_images(folder: Path, *, patients: int = 24, seed: int = 0) -> pd.DataFrame:
    """Write images of 8 x 8 pixels, bright at the top in class `up`, at the bottom in `down`; device Old is darker."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(patients):
        for eye in "LR":
            label, device = ("up", "down")[number % 2], ("Old", "New")[number // 2 % 2]
            pixels = random.integers(0, 40, (8, 8, 3)) + (20 if device == "Old" else 80)
            pixels[slice(0, 4) if label == "up" else slice(4, 8)] += 90
            name = f"{number}{eye}.png"
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
            rows.append(
                {
                    "image_id": f"image-{number:03}{eye}",
                    "path": str(folder / name),
                    "patient": f"patient-{number:03}",
                    "ManufacturerModelName": device,
                    "diagnosis": label,
                }
            )
    return pd.DataFrame(rows)


def tiny_index(folder: Path, *, label: str | None = "diagnosis", frame: pd.DataFrame | None = None) -> Index:
    """Write images and an index of them below a folder."""
    frame = write_images(folder / "images") if frame is None else frame
    kinds = dict.fromkeys(("ManufacturerModelName", "diagnosis", "split"), Kind.TEXT)
    kinds = {name: kind for name, kind in kinds.items() if name in frame}
    return write_index(frame, folder / "index", kinds=kinds, label=label)


def tiny_spec(folder: Path, text: str = SPEC) -> Path:
    """Write a spec that retires the old device."""
    path = folder / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    return path
