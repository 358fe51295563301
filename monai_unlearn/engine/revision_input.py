"""What a run of a revision rests on, read and checked before anything is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monai_unlearn.engine import ensembles
from monai_unlearn.engine.calibrating import Calibrating
from monai_unlearn.engine.consent import check_consent, consent_warnings
from monai_unlearn.engine.guards import check_fits, check_spec_stays
from monai_unlearn.engine.lineage import check_lineage, check_subsets
from monai_unlearn.engine.parents import read_parents
from monai_unlearn.engine.predicted_target import predicting
from monai_unlearn.engine.protocol import applied_protocol
from monai_unlearn.engine.reference import WantedReferences
from monai_unlearn.engine.remain_sample import REMAIN_TRAIN, RemainSample
from monai_unlearn.engine.snapshots import snapshots_of
from monai_unlearn.engine.trained_pixels import check_trained_pixels
from monai_unlearn.engine.training_record import check_original, record_beside, record_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision.applied_protocol import CohortFacts
from monai_unlearn.evaluation.decision.held_settings import RECIPE
from monai_unlearn.methods.cohort_kind import kind_of, suit_warnings
from monai_unlearn.release import check_sums, download_warnings, load_weights, weights_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.engine.predicted_target import Predicting
    from monai_unlearn.engine.reference import Retraining
    from monai_unlearn.engine.revision_settings import RevisionSettings
    from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol


class RevisionInput:
    """What a run reads and checks before anything is written.

    Args:
        settings: The settings of the run; their network is given the original weights.

    Attributes:
        record: The training record of the original weights; empty where there is none.
        warnings: What a reader must know of the input.
        wanted: The retrained networks to compare with.
        retraining: How these are trained: as the original was.
        snapshots: Weights that training kept on its way, for a method that goes back to them.
        composed: The networks to compose.
        base: The bundle, with the versions that were made of it already.
        calibrating: What the result is calibrated with; None where that is not asked for.
        applied: The rehearsed protocol that judges, if there is one.
        predicting: What stands in for retrained networks.
        remain: The sample of remain training images.
        evaluated: The images that every network predicts at the end, by (part, split).
        sampled: The rows of those of them that are a sample.

    Raises:
        UnlearnError: The input cannot be used.
    """

    def __init__(self, settings: RevisionSettings) -> None:
        self.settings = settings
        self.record = _checked_record(settings)
        self.warnings = _warnings(settings, self.record)
        check_trained_pixels(settings.checkpoint_path, self.record, settings.data)
        self.wanted = WantedReferences.read(settings.reference, settings.reference_seeds, self.record)
        self.retraining = self._retraining()
        self.snapshots = self._snapshots()
        load_weights(settings.network, settings.checkpoint)
        self.composed = read_parents(settings.parents, settings.network)
        self.base = replace(settings.base, successors=tuple(one.version for one in self.composed))
        self.calibrating = self._calibrating()
        self.applied = self._applied_protocol()
        self.predicting = self._predicting()
        _check_network(settings)
        settings.trainer.classes = len(settings.data.class_names)
        self.remain = RemainSample.draw(settings.subsets[REMAIN_TRAIN], seed=settings.seed)
        self.evaluated, self.sampled = self.remain.judged(settings.subsets, settings.judged_by)

    @property
    def calibration_images(self) -> int:
        """How many images calibrating passes through networks."""
        return self.calibrating.forward_passes if self.calibrating else 0

    def _retraining(self) -> Retraining:
        """Return how networks are retrained, where any are."""
        given = self.settings.retraining
        return given.as_recorded(self.record, self.settings.record_path) if self.wanted.seeds else given

    def _snapshots(self) -> list[Path]:
        if "snapshots" not in self.settings.info.needs:
            return []
        return snapshots_of(self.settings.checkpoint_path, self.record)

    def _calibrating(self) -> Calibrating | None:
        settings = self.settings
        if not settings.calibrate:
            return None
        return Calibrating.of_run(
            settings.network,
            data=settings.data,
            images=settings.subsets.get(("remain", "validation")),
            checkpoint=settings.checkpoint_path,
            record=self.record,
            device=settings.device,
        )

    def _applied_protocol(self) -> AppliedProtocol | None:
        """Return the protocol that the verdict may rest on beside references."""
        settings = self.settings
        if settings.protocol is not None and not settings.config:
            raise ConfigError(
                "protocol: a run that was built in Python does not say what it was built from, so that nothing shows "
                "that it is the protocol's. Run the bundle's config: python -m monai.bundle run unlearn … --protocol "
                "FILE."
            )
        return applied_protocol(
            settings.protocol,
            accept_bound=settings.accept_bound,
            cohort=CohortFacts.of(settings.data, reason=settings.cohort.spec.reason.value),
            bundle=self.base,
            weights=weights_digest(settings.network.state_dict()),
            decision=settings.judged_by,
            method=settings.trainer.method,
            config={**settings.config, RECIPE: self.record.get("recipe")},
        )

    def _predicting(self) -> Predicting:
        return predicting(
            self.settings.predictor,
            data=self.settings.data,
            decision=self.settings.judged_by,
            record=self.record,
            has_reference=bool(self.wanted),
            protocol=self.applied.protocol if self.applied else None,
        )


def _checked_record(settings: RevisionSettings) -> dict[str, Any]:
    """Return the training record of the original weights, after checking bundle, cohort and images beside it."""
    check_sums(settings.base.root)
    check_spec_stays(settings.base.root, settings.cohort)
    record = record_of(settings.checkpoint_path)
    check_lineage(settings.base.root, settings.data, record_beside(settings.checkpoint_path))
    check_subsets(settings.data, settings.subsets)
    return record


def _warnings(settings: RevisionSettings, record: Mapping[str, Any]) -> list[str]:
    """Return what the input is warned about; what cannot be used is refused."""
    data, config = settings.data, {**settings.config, **settings.retraining.overrides}
    return [
        *settings.cohort.preview()["warnings"],
        *data.earlier.warnings(),
        *download_warnings(settings.base.root),
        *suit_warnings(settings.info, kind_of(data)),
        *check_original(record, settings.record_path, data, config),
        *consent_warnings(check_consent(settings.cohort, data, record)),
    ]


def _check_network(settings: RevisionSettings) -> None:
    """Refuse a network that does not fit the images, or cannot become what the method makes of it."""
    check_fits(settings.network, data=settings.data, subsets=settings.subsets, device=settings.device)
    ensembles.check_ensemble(settings.trainer.method, settings.network, settings.base.root)
