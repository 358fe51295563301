"""What a run of a revision rests on, read and checked before anything is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.engine import ensembles
from monai_unlearn.engine.budget import Budget, retraining_cost, unknown_cost
from monai_unlearn.engine.calibrating import Calibrating
from monai_unlearn.engine.consent import check_consent, consent_warnings
from monai_unlearn.engine.guards import check_fits, check_spec_stays
from monai_unlearn.engine.lineage import check_lineage, check_subsets
from monai_unlearn.engine.parents import read_parents
from monai_unlearn.engine.predicted_target import predicting
from monai_unlearn.engine.protocol import applied_protocol
from monai_unlearn.engine.recalibration import EVAL_MAX_IMAGES, as_delivered, delivery_images
from monai_unlearn.engine.reference import Reference, WantedReferences
from monai_unlearn.engine.remain_sample import REMAIN_TRAIN, RemainSample
from monai_unlearn.engine.snapshots import snapshots_of
from monai_unlearn.engine.stopping import Stopping
from monai_unlearn.engine.trained_pixels import check_trained_pixels
from monai_unlearn.engine.training_record import check_original, record_beside, record_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision.applied_protocol import CohortFacts
from monai_unlearn.evaluation.decision.held_settings import RECIPE
from monai_unlearn.methods.base import FORWARD_PASS
from monai_unlearn.methods.cohort_kind import kind_of, suit_warnings
from monai_unlearn.release import (
    check_sums,
    download_warnings,
    load_weights,
    weights_digest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from monai_unlearn.engine.predicted_target import Predicting
    from monai_unlearn.engine.revision import Revision
    from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol


class RevisionInput:
    """What a run reads and checks before anything is written: original, record, targets, images, length.

    Args:
        given: The revision that is run; its network is given the original weights.

    Raises:
        UnlearnError: The input cannot be used.
    """

    def __init__(self, given: Revision) -> None:
        self.given = given
        self.base, self.retraining = given.base, given.retraining
        checkpoint = Path(given.checkpoint)
        check_sums(self.base.root)
        check_spec_stays(self.base.root, given.cohort)
        self.record = record_of(checkpoint)
        check_lineage(self.base.root, given.data, record_beside(checkpoint))
        check_subsets(given.data, given.subsets)
        self.warnings = self._warnings()
        check_trained_pixels(checkpoint, self.record, given.data)
        self.wanted = WantedReferences.read(given.reference, given.reference_seeds, self.record)
        if self.wanted.seeds:
            self.retraining = self.retraining.as_recorded(self.record, given.record_path)
        self.snapshots = snapshots_of(checkpoint, self.record) if "snapshots" in given.info.needs else []
        load_weights(given.network, checkpoint)
        self.composed = read_parents(given.parents, given.network)
        self.base = replace(self.base, successors=tuple(one.version for one in self.composed))
        self.calibrating = self._calibrating()
        self.applied = self._applied_protocol()
        self.predicting = self._predicting()
        check_fits(given.network, data=given.data, subsets=given.subsets, device=given.device)
        ensembles.check_ensemble(given.trainer.method, given.network, self.base.root)
        given.trainer.classes = len(given.data.class_names)
        self.remain = RemainSample.draw(given.subsets[REMAIN_TRAIN], seed=given.seed)
        self.evaluated, self.sampled = self.remain.judged(given.subsets, given.judged_by)
        self.planned = self._planned()
        if self.planned is not None and not given.trainer.method.one_shot:
            given.trainer.keep_to(self.planned)

    def _warnings(self) -> list[str]:
        """Return what the input is warned about; what cannot be used is refused."""
        given = self.given
        settings = {**given.config, **self.retraining.overrides}
        return [
            *given.cohort.preview()["warnings"],
            *given.data.earlier.warnings(),
            *download_warnings(self.base.root),
            *suit_warnings(given.info, kind_of(given.data)),
            *check_original(self.record, given.record_path, given.data, settings),
            *consent_warnings(check_consent(given.cohort, given.data, self.record)),
        ]

    def _calibrating(self) -> Calibrating | None:
        """Return what the run calibrates with, where it is asked to."""
        if not self.given.calibrate:
            return None
        return Calibrating.of_run(
            self.given.network,
            data=self.given.data,
            images=self.given.subsets.get(("remain", "validation")),
            checkpoint=Path(self.given.checkpoint),
            record=self.record,
            device=self.given.device,
        )

    def _applied_protocol(self) -> AppliedProtocol | None:
        """Return the rehearsed protocol that the verdict may rest on beside references."""
        if self.given.protocol is not None and not self.given.config:
            raise ConfigError(
                "protocol: a run that was built in Python does not say what it was built from, so that nothing shows "
                "that it is the protocol's. Run the bundle's config: python -m monai.bundle run unlearn … --protocol "
                "FILE."
            )
        return applied_protocol(
            self.given.protocol,
            accept_bound=self.given.accept_bound,
            cohort=CohortFacts.of(self.given.data, reason=self.given.cohort.spec.reason.value),
            bundle=self.base,
            weights=weights_digest(self.given.network.state_dict()),
            decision=self.given.judged_by,
            method=self.given.trainer.method,
            config={**self.given.config, RECIPE: self.record.get("recipe")},
        )

    def _predicting(self) -> Predicting:
        """Return what stands in for references, where a predictor is asked for."""
        return predicting(
            self.given.predictor,
            data=self.given.data,
            decision=self.given.judged_by,
            record=self.record,
            has_reference=bool(self.wanted),
            protocol=self.applied.protocol if self.applied else None,
        )

    def _planned(self) -> Budget | None:
        """Return the length of the run by its budget, where nothing else sets it; of a method without steps, its cost.

        Raises:
            ConfigError: The cost of retraining is not known, or the budget does not pay for a step.
        """
        method = self.given.trainer.method
        if self.given.budget is None or not (method.one_shot or self.given.trainer.takes_a_budget):
            return None
        counts = {part: self.given.data.counts()[part]["train"] for part in ("forget", "remain")}
        retraining = retraining_cost(self.record, remain=counts["remain"])
        if retraining is None:
            if method.one_shot:
                return None
            raise unknown_cost(Path(self.given.checkpoint))
        stopping = self.stopping(())
        judges = self.given.stop_rule.gap_to_reference is not None
        references = len(self.wanted.files or self.wanted.seeds) if judges else 0
        return Budget(
            share=self.given.budget,
            retraining=retraining,
            preparation=method.gradients_to_prepare(**counts, validation=self.validation_images),
            fixed=FORWARD_PASS * (references * len(stopping.images) + self.delivery_images() + self.calibration_images),  # type: ignore[arg-type]  # no __len__
            step=0 if method.one_shot else method.gradients_a_step(**self.given.trainer.loader.batch_sizes),
            evaluation=FORWARD_PASS * stopping.images_an_evaluation(has_reference=references > 0),
            eval_interval=self.given.eval_interval,
        )

    def stopping(self, references: Sequence[Reference]) -> Stopping:
        """Return what evaluates the network on the way, not attached yet."""
        return Stopping(
            rule=self.given.stop_rule,
            subsets=self.given.subsets,
            network=self.given.network,
            device=self.given.device,
            references=[reference.network for reference in references],
            eval_interval=self.given.eval_interval,
            as_delivered=lambda network: self.as_delivered(network, max_images=EVAL_MAX_IMAGES),
            delivery_images=self.delivery_images(max_images=EVAL_MAX_IMAGES),
            evaluated=lambda step, measured: self.given.tracking.evaluated(step, measured, self.given.data.class_names),
        )

    def as_delivered(self, network: nn.Module, max_images: int | None = None) -> nn.Module:
        """Return the network as it would be delivered if the run ended now."""
        if not self.given.recalibrate:
            return network
        images = self.remain.images
        return as_delivered(network, images, device=self.given.device, seed=self.given.seed, max_images=max_images)

    @property
    def calibration_images(self) -> int:
        """How many images the calibration passes through the network."""
        return self.calibrating.forward_passes if self.calibrating else 0

    @property
    def validation_images(self) -> int:
        """How many images of both parts are for validation."""
        counts = self.given.data.counts()
        return sum(counts[part]["validation"] for part in ("forget", "remain"))

    def delivery_images(self, max_images: int | None = None) -> int:
        """Return how many images `as_delivered` passes through the network."""
        if not self.given.recalibrate:
            return 0
        return delivery_images(self.given.network, self.remain.images, max_images=max_images)
