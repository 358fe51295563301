"""The steps of a run: what they are given, and what they can be resumed from."""

from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.data.read_once import read_rows
from monai_unlearn.engine import distributed
from monai_unlearn.engine.checkpoint import Checkpoints, checkpoint_folder
from monai_unlearn.engine.chosen_method import settings_of
from monai_unlearn.engine.fingerprint import fingerprint
from monai_unlearn.engine.proxy_workshop import ProxyWorkshop
from monai_unlearn.engine.remain_sample import REMAIN_TRAIN
from monai_unlearn.engine.revision_plan import stopping_of
from monai_unlearn.engine.updating import Updates
from monai_unlearn.engine.validation_judge import ValidationJudge
from monai_unlearn.evaluation import has_running_statistics
from monai_unlearn.methods.cohort_kind import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn
    from torch.utils.data import Dataset

    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.engine.revision_input import RevisionInput
    from monai_unlearn.evaluation.predictors import Proxy


def checkpoints_of(known: RevisionInput) -> Checkpoints:
    """Return the checkpoints that a killed run left or this one will, by all that decides what the steps do."""
    settings = known.settings
    asked = fingerprint(
        settings.trainer,
        data=settings.data,
        references=known.wanted.files,
        config=settings.config,
        choices={
            "stop": dict(settings.stop or {}),
            "eval_interval": settings.eval_interval,
            "budget": settings.budget,
            "settings": settings_of(settings.trainer.method),
            "seed": settings.seed,
            "reference_seeds": list(known.wanted.seeds),
            "predictors": [asdict(one) for one in known.predicting.wanted],
        },
    )
    return Checkpoints(checkpoint_folder(Path(settings.output_dir)), asked)


def read_images(known: RevisionInput) -> None:
    """Decode, before any clock runs, the remain images that the updates need: those that steps will draw.

    Where BatchNorm is recalibrated, the main process needs the sample too. What is in neither is never decoded,
    unless an endpoint is about all remain training images.
    """
    settings = known.settings
    if settings.recalibrate and has_running_statistics(settings.network) and distributed.is_main_process():
        read_rows(known.remain.images)
    share = slice(distributed.rank(), None, distributed.world_size())
    settings.trainer.loader.read_drawn(settings.trainer.total_steps, share=share)


def updates_of(known: RevisionInput, checkpoints: Checkpoints, references: Sequence[Reference]) -> Updates:
    """Return the part of the run that changes weights, not started yet.

    Args:
        known: The input of the run.
        checkpoints: Where its states are saved.
        references: The retrained networks; none in a process that only shares the steps.
    """
    settings = known.settings
    return Updates(
        trainer=settings.trainer,
        forget=settings.subsets["forget", "train"],
        remain=settings.subsets[REMAIN_TRAIN],
        validation=_validation(settings.subsets),
        snapshots=known.snapshots,
        remain_labels=[item["label"] for item in settings.data.items(["remain"], "train")],
        parents=[one.state for one in known.composed],
        judge=_judge(known, references),
        pixel_space=settings.pixel_space,
        stopping=stopping_of(known, references),
        checkpoints=checkpoints,
        checkpoint_seconds=settings.checkpoint_seconds,
        seed=settings.seed,
    )


def proxies_of(known: RevisionInput, original: nn.Module, checkpoints: Checkpoints) -> list[Proxy]:
    """Return what stands in for retrained networks, where a predictor is asked for."""
    settings = known.settings
    workshop = ProxyWorkshop(
        original=original,
        data=settings.data,
        remain=settings.subsets[REMAIN_TRAIN],
        retraining=known.retraining,
        checkpoint=settings.checkpoint_path,
        record=known.record,
        checkpoints=checkpoints,
        device=settings.device,
        first_seed=int(known.record.get("seed") or 0) + 1,
    )
    return known.predicting.proxies(workshop)


def _validation(subsets: Mapping[tuple[str, str], Dataset[Any]]) -> dict[str, Dataset[Any]]:
    """Return the validation images of the parts that have some."""
    found = {part: subsets.get((part, "validation")) for part in ("forget", "remain")}
    return {part: images for part, images in found.items() if images is not None and len(images)}  # type: ignore[arg-type]  # no __len__


def _judge(known: RevisionInput, references: Sequence[Reference]) -> ValidationJudge | None:
    """Return what chooses the coefficient of a composition, in the main process; None where nothing can."""
    settings = known.settings
    erases = settings.judged_by.objective == "erase" or (not references and kind_of(settings.data) == "class")
    if not (known.composed and (references or erases) and distributed.is_main_process()):
        return None
    return ValidationJudge(
        data=settings.data,
        subsets=settings.subsets,
        original=copy.deepcopy(settings.network),
        references=references,
        erases=erases,
        remain=known.remain.images if settings.recalibrate else None,
        device=settings.device,
        seed=settings.seed,
    )
