"""The settings of a revision: its fields, checked as far as no weights are needed, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.data import Dataset

from monai_unlearn.engine.head import as_classifier, check_head, check_method, head_of
from monai_unlearn.engine.healthy import declared_healthy
from monai_unlearn.engine.stop_rule import StopRule
from monai_unlearn.engine.tracking import Tracking
from monai_unlearn.engine.training_record import RECORD
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.audits import check_share, chosen
from monai_unlearn.evaluation.audits.within_budget import SHARE as AUDIT_SHARE
from monai_unlearn.evaluation.decision import Decision
from monai_unlearn.evaluation.label_states import states
from monai_unlearn.methods import info_of
from monai_unlearn.methods.cohort_kind import check_boundary_targets
from monai_unlearn.release import BundleInfo, check_travels
from monai_unlearn.staging import check_free

if TYPE_CHECKING:
    from monai_unlearn.cohort import Cohort
    from monai_unlearn.data import CohortData
    from monai_unlearn.engine.reference import Retraining
    from monai_unlearn.engine.trainer import UnlearnTrainer
    from monai_unlearn.methods import MethodInfo, PixelSpace

Subsets = Mapping[tuple[str, str], Dataset[Any]]


@dataclass(kw_only=True)
class RevisionSettings:
    """What a revision is given, and what follows from that before any weight or record is read.

    Its arguments are those of `Revision`, which says what each of them means.

    Attributes:
        judged_by: What the result is judged by.
        stop_rule: The conditions that end the forget phase or the run.
        base: The bundle being revised.
        tracking: What tells a tracking server of the run, where there is one.

    Raises:
        ConfigError: A setting is missing or unknown, the bundle has no metadata, holds what must not travel or would
            hold the results, or `output_dir` is not empty.
    """

    trainer: UnlearnTrainer
    data: CohortData
    subsets: Subsets
    pixel_space: PixelSpace
    checkpoint: str | Path
    output_dir: str | Path
    bundle_root: str | Path
    retraining: Retraining
    decision: Mapping[str, Any]
    reference: str | Sequence[str] | None = None
    reference_seeds: int = 3
    protocol: str | Path | None = None
    accept_bound: float | None = None
    predictor: Any = None
    audits: str | Sequence[str] | None = "default"
    audit_share: float = AUDIT_SHARE
    recalibrate: bool = True
    calibrate: bool = False
    stop: Mapping[str, float | str] | None = None
    eval_interval: int | None = None
    budget: float | None = None
    force: bool = False
    checkpoint_seconds: float = 30.0
    seed: int = 0
    head: str | None = None
    network_output: int | str | None = None
    parents: Sequence[Mapping[str, Any]] | None = None
    estimate: str | Path | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.output_dir:
            raise ConfigError("output_dir is not set. Give it on the command line: --output_dir DIR")
        self._present_as_classifier()
        self.judged_by = Decision.from_config(
            self.decision,
            class_names=self.judged_classes,
            base_healthy_classes=declared_healthy(self.bundle_root, self.judged_classes),
        )
        if self.data.labels:
            self._check_several_labels()
        self.stop_rule = StopRule.of_run(
            self.stop,
            objective=self.judged_by.objective,
            has_reference=bool(self.reference),
            method=self.trainer.method,
        )
        check_boundary_targets(self.info, classes=len(self.data.class_names), force=self.force)
        chosen(self.audits)
        check_share(self.audit_share)
        self.base = self._read_base()
        self.tracking = Tracking.of(self.trainer, self.trainer.train_handlers)

    def _present_as_classifier(self) -> None:
        """Present the network by its head, which must fit the classes and the method."""
        as_classifier(self.network, self.head, self.network_output)
        check_head(self.network, self.data.class_names, self.data.labels)
        check_method(self.info, head_of(self.network).kind)

    def _check_several_labels(self) -> None:
        """Refuse what is not made for images with several labels, and look at nothing below accuracy by default."""
        asked = {
            "decision: objective erase": self.judged_by.objective == "erase",
            "protocol": self.protocol is not None,
            "predictor": bool(self.predictor),
            "calibrate": self.calibrate,
            "audits": bool(self.audits) and self.audits != "default",
        }
        if named := [name for name, is_asked in asked.items() if is_asked]:
            raise ConfigError(
                f"head: multilabel does not go with {', '.join(named)}: what that computes is of one class for each "
                "image. Leave it out, and give retrained networks: --reference retrain."
            )
        self.audits = []

    def _read_base(self) -> BundleInfo:
        """Return the bundle, beside which the results must have a place of their own."""
        base, output = BundleInfo.read(self.bundle_root), Path(self.output_dir)
        check_free(output)
        check_travels(base.root, output)
        return base

    @property
    def judged_classes(self) -> tuple[str, ...]:
        """The classes that metrics and verdict are about: the states of labels, where an image may have several."""
        return states(self.data.labels) or self.data.class_names

    @property
    def network(self) -> nn.Module:
        """The network being revised."""
        network: nn.Module = self.trainer.network
        return network

    @property
    def device(self) -> torch.device:
        """Where the run computes."""
        return torch.device(self.trainer.state.device)

    @property
    def info(self) -> MethodInfo:
        """What the method declares of itself."""
        return info_of(self.trainer.method)

    @property
    def checkpoint_path(self) -> Path:
        """The file of the original weights."""
        return Path(self.checkpoint)

    @property
    def record_path(self) -> Path:
        """Where the record of how the original weights were trained lies."""
        return self.checkpoint_path.with_name(RECORD)

    @property
    def cohort(self) -> Cohort:
        """The cohort to forget.

        Raises:
            ConfigError: The data have none.
        """
        if self.data.cohort is None:
            raise ConfigError("cohort_spec is not set. Give it on the command line: --cohort_spec FILE")
        return self.data.cohort
