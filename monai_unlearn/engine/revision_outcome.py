"""What a run hands to evidence and results, from its input and what it did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.engine import ensembles
from monai_unlearn.engine.chosen_method import choice_of
from monai_unlearn.engine.consent import check_consent
from monai_unlearn.engine.evidence import Cost, RunFacts
from monai_unlearn.engine.head import head_of, output_names
from monai_unlearn.engine.outputs import Outcome
from monai_unlearn.evaluation.label_states import note
from monai_unlearn.methods.logit_ensemble import networks_in
from monai_unlearn.release import (
    WEIGHTS,
    saved_keys,
    weights_digest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.engine.revision_input import RevisionInput
    from monai_unlearn.engine.updating import Updates
    from monai_unlearn.evaluation import PredictionTable
    from monai_unlearn.evaluation.predictors import Proxy
    from monai_unlearn.methods.calibrate import Calibration


def facts_of(
    known: RevisionInput, updates: Updates, references: Sequence[Reference], proxies: Sequence[Proxy]
) -> RunFacts:
    """Return what evidence is assembled from."""
    return RunFacts(
        decision=known.given.judged_by,
        protocol=known.applied,
        targets=known.predicting.targets,
        counts=known.given.data.counts(),
        method=choice_of(known.given.trainer.method, by_protocol=known.applied is not None),
        cost=Cost(
            search=known.given.trainer.method.gradient_evaluations,
            updates=known.given.trainer.state.images_seen,
            seconds=updates.seconds,
            forward_passes={
                "search": known.given.trainer.method.forward_passes,
                "steps": known.given.trainer.state.images_passed,
                "evaluations": updates.stopping.images_passed,
                "recalibration": len(networks_in(known.given.network)) * known.delivery_images(),
                **({"calibration": known.calibration_images} if known.given.calibrate else {}),
            },
            parents=known.composed,
            retraining=[reference.gradient_evaluations for reference in references],
            retraining_seconds=[reference.seconds for reference in references],
            proxies=proxies,
            budget=known.planned,
        ),
        references=references,
        samples={"_".join(subset): known.remain.document() for subset in known.sampled},
        warnings=[
            *known.warnings,
            *updates.notes,
            *head_of(known.given.network).notes(),
            *ensembles.notes(known.given.network),
            *note(known.given.data.labels),
            *([known.remain.note()] if known.sampled else []),
        ],
    )


def outcome_of(
    known: RevisionInput,
    original: nn.Module,
    updates: Updates,
    calibration: Calibration | None,
    evidence: Mapping[str, Any],
    predictions: PredictionTable,
) -> Outcome:
    """Return what results are written from."""
    return Outcome(
        base=known.base,
        base_digest=weights_digest(original.state_dict()),
        base_record=known.record,
        bundle_settings={
            **_bundle_settings(known),
            "decision::healthy_classes": list(known.given.judged_by.healthy_classes),
        },
        data=known.given.data,
        keyfile=known.retraining.keyfile,
        cohort=known.given.cohort,
        split_rule=known.given.data.split_rule,
        pixels={image: seen.digest for image, seen in known.given.data.pixels.seen.items()},
        doubtful=check_consent(known.given.cohort, known.given.data, known.record),
        network=known.given.network,
        parents=[one.to_dict() for one in known.composed],
        places=_places(known),
        weights_keys=_weights_keys(known, original),
        method=known.given.trainer.method,
        recalibrated=known.given.recalibrate,
        seed=known.given.seed,
        config=known.given.config,
        device=known.given.device,
        steps=known.given.trainer.state.iteration,
        epochs=known.given.trainer.state.epoch,
        updates={
            **updates.record,
            "calibration": None if calibration is None else calibration.to_dict(),
        },
        evidence=evidence,
        predictions=predictions,
    )


def _bundle_settings(known: RevisionInput) -> dict[str, Any]:
    """What the run shares with training, with the names of the network's own outputs as its classes."""
    shared = dict(known.retraining.overrides)
    if "class_names" in shared:
        shared["class_names"] = output_names(known.given.data.names, known.given.network)
    return shared


def _places(known: RevisionInput) -> dict[str, str]:
    """Where the run found its input, for who repeats it; a config may say so relative to a folder."""
    named = {
        "bundle_root": known.base.root,
        "checkpoint": known.given.checkpoint,
        "index_dir": known.retraining.index_dir,
        "cohort_spec": known.given.cohort.spec.source,
    }
    return {name: str(Path(place).resolve()) for name, place in named.items()}


def _weights_keys(known: RevisionInput, original: nn.Module) -> tuple[str, ...]:
    """Return where the bundle's own loader looks for the weights: as in its own file, not in one of elsewhere."""
    own, used = known.base.root / WEIGHTS, Path(known.given.checkpoint)
    is_own = not own.is_file() or used.resolve().parent == own.resolve().parent
    return saved_keys(used if is_own else own, original)
