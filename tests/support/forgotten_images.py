"""What a run leaves of images that can be told apart: a bundle with a card, the evidence beside it, and the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from card_example import CLOSE, FULL, build
from cohort_index import make_spec
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tiny import tiny_index, write_images
from two_bundles import write_bundle

from monai_unlearn.cohort.resolve.frozen import freeze
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.index import Index

PLANTED = "Planted^Patient"
COLOUR = (10, 200, 30)


def write_run(root: Path) -> tuple[Path, Index]:
    """Write a run that forgot 12 images of a device, each in one colour with a name in its metadata."""
    frame = write_images(root / "images", patients=12)
    for row in frame.to_dict("records"):
        _plant(row["path"], COLOUR if row["ManufacturerModelName"] == "Old" else (0, 0, 250))
    index = tiny_index(root, frame=frame)
    run = RunFolder(root / "run")
    freeze(make_spec("ManufacturerModelName == Old").resolve(index), run.evidence)
    card = build(cohort={"index_digest": index.digest}, original=FULL, revised=CLOSE)
    return write_bundle(run.bundle(accepted=True), card=card), index


def _plant(path: str, colour: tuple[int, int, int]) -> None:
    info = PngInfo()
    info.add_text("PatientName", PLANTED)
    Image.new("RGB", (300, 150), colour).save(path, pnginfo=info)
