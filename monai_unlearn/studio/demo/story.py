"""From nothing to a trained bundle on phantom studies: the words of the commands, shared with `make demo`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BUNDLE = Path(__file__).parent / "bundle"
"""The bundle that the demo trains, as the project has it among its bundles."""
STATION = "CIRRUS-02"
"""The camera of the demo that is retired."""
LABELS = "labels.csv"


@dataclass(frozen=True, kw_only=True)
class Story:
    """The phantom studies that are drawn, and how a classifier is trained on them.

    Attributes:
        phantom: The kind of phantom studies.
        patients: How many patients are drawn.
        options: Further options of the command that draws them.
        images: The folder of images within the studies.
        training: Settings of training: networks must be sure enough to agree.
        settings: Settings of training and of revisions alike.
    """

    phantom: str
    patients: int
    options: tuple[str, ...] = ()
    images: str = "."
    training: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    def draw(self, studies: Path, *, patients: int | None = None) -> list[str]:
        """Return the words of `monai-unlearn` that draw the studies.

        >>> Story(phantom="mri", patients=3).draw(Path("studies"))
        ['phantom', 'mri', 'studies', '--patients', '3', '--seed', '0']
        """
        drawn = ("--patients", str(patients or self.patients), "--seed", "0")
        return ["phantom", self.phantom, str(studies), *drawn, *self.options]

    def index(self, studies: Path, index: Path) -> list[str]:
        """Return the words of `monai-unlearn` that index them with their diagnoses."""
        table = ("--table", str(studies / LABELS), "--key", "SOPInstanceUID", "--label", "diagnosis")
        return ["index", "build", str(studies / self.images), "--out", str(index), *table]

    def train(self, bundle: Path, index: Path) -> list[str]:
        """Return the words of `monai.bundle` that train a bundle on them."""
        config = ("--config_file", str(bundle / "configs" / "train.yaml"), "--index_dir", str(index))
        return ["run", "train", *config, *self.settings, *self.training]


FUNDUS = Story(
    phantom="fundus",
    patients=1300,
    options=("--eyes", "1", "--size", "128", "--unread", STATION),
    # More steps, of fewer images each: networks are then sure enough.
    training=("--max_epochs", "20", "--batch_size", "16"),
    settings=("--split::test_fraction", "0.45"),
)
"""Photographs by two cameras of each of two models; one station filed its images unread, as normal."""

DEMO = Story(phantom="fundus", patients=1300, options=("--eyes", "1", "--size", "64", "--unread", STATION))
"""The same for the studio: smaller, so that somebody who waits sees all of it within minutes."""
_SIZE: Mapping[str, Any] = {"image_size": [32, 32]}
_SPLIT = {"split::test_fraction": 0.45}
# On remain images three points more than by default: so small a network, on so few images, varies more from seed to
# seed. The line of the verdict says so.
_ENDPOINTS = [
    {"subset": "forget_train", "margin": 0.1},
    {"subset": "forget_test", "margin": 0.1},
    {"subset": "remain_test", "margin": 0.08},
    {"subset": "remain_test", "measure": "macro_sensitivity", "margin": 0.05},
]
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "train.yaml": {**_SIZE, **_SPLIT, "max_epochs": 20, "batch_size": 16},
    "unlearn.yaml": {
        **_SIZE,
        **_SPLIT,
        "budget": 0.4,
        "reference": "retrain",
        "decision::endpoints": _ENDPOINTS,
        # Last: it replaces a section, after which the text is written anew.
        "method": "reset",
    },
    "evaluate.yaml": {**_SIZE, **_SPLIT},
    "inference.yaml": _SIZE,
}
"""What is set in the configs of the demo's bundle."""
SPEC_NAME = f"retire-{STATION.lower()}"
SPEC = f"""\
# The camera {STATION} filed its photographs as
# normal before anybody had read them. It was retired,
# and the model must forget what it learned from it.
schema_version: 1
name: {SPEC_NAME}
reason: device_deprecation
forget: station == {STATION}
"""
"""The spec of the camera that is retired."""
