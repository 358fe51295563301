"""What a run hands to evidence and results, from its input and what its steps left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.engine import ensembles
from monai_unlearn.engine.chosen_method import choice_of
from monai_unlearn.engine.consent import check_consent
from monai_unlearn.engine.evidence import Cost, RunFacts
from monai_unlearn.engine.head import head_of, output_names
from monai_unlearn.engine.outputs import Outcome
from monai_unlearn.engine.revision_networks import delivery_images
from monai_unlearn.evaluation.label_states import note
from monai_unlearn.methods.logit_ensemble import networks_in
from monai_unlearn.release import WEIGHTS, saved_keys, weights_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from monai_unlearn.engine.budget import Budget
    from monai_unlearn.engine.revision_input import RevisionInput
    from monai_unlearn.engine.revision_networks import Revised
    from monai_unlearn.evaluation import PredictionTable


def facts_of(known: RevisionInput, revised: Revised, planned: Budget | None) -> RunFacts:
    """Return what evidence is assembled from, beside predictions.

    Args:
        known: The input of the run.
        revised: What its steps left.
        planned: What it was to cost, if a budget set its length.
    """
    settings = known.settings
    return RunFacts(
        decision=settings.judged_by,
        protocol=known.applied,
        targets=known.predicting.targets,
        counts=settings.data.counts(),
        method=choice_of(settings.trainer.method, by_protocol=known.applied is not None),
        cost=_cost(known, revised, planned),
        references=revised.references,
        samples={"_".join(subset): known.remain.document() for subset in known.sampled},
        warnings=[
            *known.warnings,
            *revised.updates.notes,
            *head_of(settings.network).notes(),
            *ensembles.notes(settings.network),
            *note(settings.data.labels),
            *([known.remain.note()] if known.sampled else []),
        ],
    )


def outcome_of(
    known: RevisionInput, revised: Revised, evidence: Mapping[str, Any], predictions: PredictionTable
) -> Outcome:
    """Return what results are written from.

    Args:
        known: The input of the run.
        revised: What its steps left.
        evidence: What `metrics.json` will hold.
        predictions: What every network predicts for every image.
    """
    settings, calibration = known.settings, revised.calibration
    data, trainer = settings.data, settings.trainer
    return Outcome(
        base=known.base,
        base_digest=weights_digest(revised.original.state_dict()),
        base_record=known.record,
        bundle_settings=_bundle_settings(known),
        data=data,
        keyfile=known.retraining.keyfile,
        cohort=settings.cohort,
        split_rule=data.split_rule,
        pixels={image: seen.digest for image, seen in data.pixels.seen.items()},
        doubtful=check_consent(settings.cohort, data, known.record),
        network=settings.network,
        parents=[one.to_dict() for one in known.composed],
        places=_places(known),
        weights_keys=_weights_keys(known.base.root, settings.checkpoint_path, revised.original),
        method=trainer.method,
        recalibrated=settings.recalibrate,
        seed=settings.seed,
        config=settings.config,
        device=settings.device,
        steps=trainer.state.iteration,
        epochs=trainer.state.epoch,
        updates={
            **revised.updates.record,
            "calibration": None if calibration is None else calibration.to_dict(),
        },
        evidence=evidence,
        predictions=predictions,
    )


def _cost(known: RevisionInput, revised: Revised, planned: Budget | None) -> Cost:
    settings, trainer = known.settings, known.settings.trainer
    return Cost(
        search=trainer.method.gradient_evaluations,
        updates=trainer.state.images_seen,
        seconds=revised.updates.seconds,
        forward_passes={
            "search": trainer.method.forward_passes,
            "steps": trainer.state.images_passed,
            "evaluations": revised.updates.stopping.images_passed,
            "recalibration": len(networks_in(settings.network)) * delivery_images(known),
            **({"calibration": known.calibration_images} if settings.calibrate else {}),
        },
        parents=known.composed,
        retraining=[reference.gradient_evaluations for reference in revised.references],
        retraining_seconds=[reference.seconds for reference in revised.references],
        proxies=revised.proxies,
        budget=planned,
    )


def _bundle_settings(known: RevisionInput) -> dict[str, Any]:
    """Return what the run shares with training, with the names of the network's own outputs as its classes."""
    settings, shared = known.settings, dict(known.retraining.overrides)
    if "class_names" in shared:
        shared["class_names"] = output_names(settings.data.names, settings.network)
    return {**shared, "decision::healthy_classes": list(settings.judged_by.healthy_classes)}


def _places(known: RevisionInput) -> dict[str, str]:
    """Return where the run found its input, for who repeats it; a config may say so relative to a folder."""
    named = {
        "bundle_root": known.base.root,
        "checkpoint": known.settings.checkpoint,
        "index_dir": known.retraining.index_dir,
        "cohort_spec": known.settings.cohort.spec.source,
    }
    return {name: str(Path(place).resolve()) for name, place in named.items()}


def _weights_keys(bundle_root: Path, checkpoint: Path, original: nn.Module) -> tuple[str, ...]:
    """Return where the bundle's own loader looks for the weights: as in its own file, not in one of elsewhere."""
    own = bundle_root / WEIGHTS
    is_own = not own.is_file() or checkpoint.resolve().parent == own.resolve().parent
    return saved_keys(checkpoint if is_own else own, original)
