"""A demo whose slow steps are done: an index of a few rows, and a bundle that nobody trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_example import write_release
from studio_client import studio_index

from monai_unlearn.staging import write_json
from monai_unlearn.studio.demo.folder import DemoFolder
from monai_unlearn.studio.demo.prepare import prepare

if TYPE_CHECKING:
    from pathlib import Path


def write_demo(root: Path, *, begun: bool = True) -> DemoFolder:
    """Write the folder of a demo; `begun`: with keys, ledger and spec as well."""
    folder = DemoFolder(root)
    folder.claim()
    folder.studies.mkdir()
    (folder.studies / "labels.csv").touch()
    studio_index(folder.index)
    _write_original(folder.bundle)
    if begun:
        prepare(folder)
    return folder


def _write_original(bundle: Path) -> None:
    """Write a bundle as training leaves it: no card, no lineage, no sums."""
    write_release(bundle, version="1.0.0")
    for name in ("lineage.json", "SHA256SUMS"):
        (bundle / name).unlink()
    for card in (bundle / "docs").glob("model_card_diff.*"):
        card.unlink()


def write_run(folder: DemoFolder, name: str = "retire", *, exit_code: int | None = 0) -> Path:
    """Write a revision that ended, and return its bundle."""
    run = folder.work / "runs" / name
    bundle = write_release(run / "run" / "revised_bundle", version="1.1.0", seed=1)
    write_json(run / "job.json", {})
    if exit_code is not None:
        write_json(run / "done.json", {"exit_code": exit_code})
    return bundle
