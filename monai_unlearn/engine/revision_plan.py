"""How long a run is to be, and what it is to cost: by its budget, and by what ends it earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.engine.budget import Budget, retraining_cost, unknown_cost
from monai_unlearn.engine.estimate import estimate_of, seconds_a_gradient
from monai_unlearn.engine.recalibration import EVAL_MAX_IMAGES
from monai_unlearn.engine.remain_sample import REMAIN_TRAIN
from monai_unlearn.engine.revision_networks import as_delivered, delivery_images
from monai_unlearn.engine.stopping import Stopping
from monai_unlearn.methods.base import FORWARD_PASS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.data import CohortData
    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.engine.revision_input import RevisionInput


def stopping_of(known: RevisionInput, references: Sequence[Reference]) -> Stopping:
    """Return what evaluates the network on the way, not attached yet."""
    settings = known.settings
    return Stopping(
        rule=settings.stop_rule,
        subsets=settings.subsets,
        network=settings.network,
        device=settings.device,
        references=[reference.network for reference in references],
        eval_interval=settings.eval_interval,
        as_delivered=lambda network: as_delivered(known, network, max_images=EVAL_MAX_IMAGES),
        delivery_images=delivery_images(known, max_images=EVAL_MAX_IMAGES),
        evaluated=lambda step, measured: settings.tracking.evaluated(step, measured, settings.data.class_names),
    )


def keep_to_budget(known: RevisionInput) -> Budget | None:
    """Let the budget set the length of the run, where nothing else does; return it.

    Of a method without steps, the budget only says what the run costs.

    Raises:
        ConfigError: The cost of retraining is not known, or the budget does not pay for a step.
    """
    trainer = known.settings.trainer
    if known.settings.budget is None or not (trainer.method.one_shot or trainer.takes_a_budget):
        return None
    retraining = _retraining_cost(known)
    if retraining is None:
        if trainer.method.one_shot:
            return None
        raise unknown_cost(known.settings.checkpoint_path)
    planned = _planned(known, known.settings.budget, retraining)
    if not trainer.method.one_shot:
        trainer.keep_to(planned)
    return planned


def estimated(known: RevisionInput, planned: Budget | None) -> dict[str, Any]:
    """Return what the run would cost; see `estimate_of`."""
    settings = known.settings
    return estimate_of(
        settings.trainer,
        counts=_counts(settings.data, "train"),
        planned=planned,
        retraining=_retraining_cost(known),
        retrained=len(known.wanted.seeds),
        seconds_a_gradient=seconds_a_gradient(settings.network, settings.subsets[REMAIN_TRAIN], device=settings.device),
    )


def _planned(known: RevisionInput, share: float, retraining: float) -> Budget:
    settings, method, stopping = known.settings, known.settings.trainer.method, stopping_of(known, ())
    references = _measured_references(known)
    images = references * len(stopping.images) + delivery_images(known) + known.calibration_images  # type: ignore[arg-type]  # no __len__
    return Budget(
        share=share,
        retraining=retraining,
        preparation=method.gradients_to_prepare(
            **_counts(settings.data, "train"), validation=sum(_counts(settings.data, "validation").values())
        ),
        fixed=FORWARD_PASS * images,
        step=0 if method.one_shot else method.gradients_a_step(**settings.trainer.loader.batch_sizes),
        evaluation=FORWARD_PASS * stopping.images_an_evaluation(has_reference=references > 0),
        eval_interval=settings.eval_interval,
    )


def _measured_references(known: RevisionInput) -> int:
    """Return how many retrained networks the evaluations on the way compare with."""
    if known.settings.stop_rule.gap_to_reference is None:
        return 0
    return len(known.wanted.files or known.wanted.seeds)


def _retraining_cost(known: RevisionInput) -> float | None:
    return retraining_cost(known.record, remain=_counts(known.settings.data, "train")["remain"])


def _counts(data: CohortData, split: str) -> dict[str, int]:
    """Return how many images of a split there are to forget and to keep."""
    counts = data.counts()
    return {part: counts[part][split] for part in ("forget", "remain")}
