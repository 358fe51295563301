"""What an unlearning run writes, and a frozen cohort: the one place that says how the files are called.

A run writes two folders. The bundle travels and names nobody. The evidence stays with the images: it holds
identifiers of images and patients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROMOTED = "revised_bundle"
REJECTED = "rejected_bundle"
EVIDENCE = "evidence"
MANIFEST = "cohort_manifest.json"
MEMBERS = "cohort_members.parquet"
METRICS = "metrics.json"
PREDICTIONS = "predictions.parquet"
RUN_RECORD = "run.json"
LINKED_POINTS = "embeddings.parquet"
LINEAGE = "lineage.json"
LINEAGE_MEMBERS = "lineage_members.parquet"
LINEAGE_KEY = "lineage.key"
README = "README.md"
# The environment variable with the tracked run that a run is part of.
PARENT_RUN = "MONAI_UNLEARN_PARENT_RUN"
# The environment variable with the folder in which the runs of an experiment share what they decode and predict.
SHARED_FOLDER = "MONAI_UNLEARN_SHARED_FOLDER"
# What MLflow writes beside results, unless it is told another store.
TRACKING_DATABASE, TRACKING_ARTIFACTS = "mlruns.db", "mlruns"
CARD_PAGE = "model_card_diff.html"

TRAVELS = "This folder travels: it holds a bundle, and names nobody whose images were used."
STAYS = "This folder stays with the images: it holds identifiers of images and patients. Do not pass it on."


@dataclass(frozen=True)
class RunFolder:
    """The places in the output folder of a run.

    >>> from pathlib import Path
    >>> run = RunFolder(Path("revision"))
    >>> run.metrics.as_posix(), run.bundle(accepted=False).as_posix(), run.reference(7).as_posix()
    ('revision/evidence/metrics.json', 'revision/rejected_bundle', 'revision/evidence/reference/seed-7')

    Attributes:
        root: The folder that the run was given.
    """

    root: Path

    @property
    def evidence(self) -> Path:
        """The folder that stays with the images."""
        return self.root / EVIDENCE

    @property
    def metrics(self) -> Path:
        """All measurements."""
        return self.evidence / METRICS

    @property
    def predictions(self) -> Path:
        """The logits of every network, image by image."""
        return self.evidence / PREDICTIONS

    @property
    def record(self) -> Path:
        """The config as executed, versions, seconds, digests."""
        return self.evidence / RUN_RECORD

    @property
    def manifest(self) -> Path:
        """The cohort in counts and digests."""
        return self.evidence / MANIFEST

    @property
    def members(self) -> Path:
        """The cohort image by image."""
        return self.evidence / MEMBERS

    @property
    def lineage_members(self) -> Path:
        """What this revision and earlier ones forgot, as hashes under a key."""
        return self.evidence / LINEAGE_MEMBERS

    @property
    def lineage_key(self) -> Path:
        """The key of these hashes, where the site gave none of its own."""
        return self.evidence / LINEAGE_KEY

    @property
    def card_page(self) -> Path:
        """The model-card difference as a page."""
        return self.evidence / CARD_PAGE

    @property
    def checkpoint(self) -> Path:
        """The folder of a run's checkpoints, beside its results; only while there is something to resume."""
        return self.root.with_name(f".{self.root.name}.checkpoint")

    @property
    def plots(self) -> Path:
        """Diagnostics of the method."""
        return self.evidence / "plots"

    @property
    def embeddings(self) -> Path:
        """Where each network places the same images: the points of the picture, image by image."""
        return self.plots / LINKED_POINTS

    def bundle(self, *, accepted: bool) -> Path:
        """The bundle; only an accepted one has the name that is deployed."""
        return self.root / (PROMOTED if accepted else REJECTED)

    def reference(self, seed: int) -> Path:
        """The weights and the training record of the reference that was retrained with a seed."""
        return self.evidence / "reference" / f"seed-{seed}"

    def references(self) -> list[Path]:
        """The folders of the references that the run retrained, by seed."""
        found = (self.evidence / "reference").glob("seed-*")
        return sorted(found, key=lambda path: int(path.name.removeprefix("seed-")))
