"""Every bundle of the repository, and a revision of each on the tiny cohort."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

from bundle_run import JUDGED, ROOT, TINY, run, unlearn
from monai.bundle import ConfigWorkflow
from tiny import tiny_index, tiny_spec

if TYPE_CHECKING:
    from pathlib import Path

BUNDLES = sorted(path.parent.parent for path in (ROOT / "bundles").glob("*/configs/metadata.json"))
CONFIGS = ("train", "evaluate", "unlearn", "inference")


@dataclass(frozen=True)
class Walked:
    """A bundle, and images that it reads.

    Attributes:
        root: The bundle's folder.
        folder: The folder of the tiny cohort: `images`, `index` and `spec.yaml`.
    """

    root: Path
    folder: Path

    @property
    def images(self) -> Path:
        """A folder of PNG files."""
        return self.folder / "images"

    @property
    def data(self) -> dict[str, str]:
        """The settings that name the cohort."""
        return {"index_dir": str(self.folder / "index"), "cohort_spec": str(self.folder / "spec.yaml")}


def copied(bundle: Path, folder: Path) -> Walked:
    """Copy a bundle to another folder, as after a download."""
    # The blank in the path breaks commands that do not quote it.
    root = folder / "another place" / bundle.name
    shutil.copytree(bundle, root)
    tiny_index(folder)
    tiny_spec(folder)
    return Walked(root=root, folder=folder)


def revised(bundle: Path, folder: Path) -> Walked:
    """Train a copy of a bundle on the tiny cohort, unlearn, and return the revised bundle."""
    base = copied(bundle, folder)
    run("train", "train.yaml", bundle=base.root, **base.data, max_epochs=1)
    settings = {"output_dir": str(folder / "out"), "steps": 3, **JUDGED}
    unlearn(bundle=base.root, **base.data, **settings)
    (made,) = (folder / "out").glob("*_bundle")
    return Walked(root=made, folder=folder)


def run_over(run_id: str, *configs: str, bundle: Path, **overrides: Any) -> None:
    """Run one id of a config and the overlays on it."""
    workflow = ConfigWorkflow(
        config_file=[str(bundle / "configs" / config) for config in configs],
        run_id=run_id,
        logging_file=False,
        **{**TINY, **overrides},
    )
    with mock.patch.object(sys, "excepthook"):
        workflow.initialize()
        workflow.run()
        workflow.finalize()
