"""The networks of a run: as delivered, by their names, what they predict, and how audits see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.engine import recalibration
from monai_unlearn.engine.audits import RunNetworks
from monai_unlearn.engine.evaluating import predict_models
from monai_unlearn.engine.predicted import ORIGINAL, REVISED, listed, prediction_table, reference_name
from monai_unlearn.evaluation import has_running_statistics
from monai_unlearn.evaluation.prediction_table import AS_TRAINED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.engine.revision_input import RevisionInput
    from monai_unlearn.engine.shared_predictions import SharedPredictions
    from monai_unlearn.engine.updating import Updates
    from monai_unlearn.evaluation import PredictionTable, SubsetPredictions
    from monai_unlearn.evaluation.predictors import Proxy
    from monai_unlearn.methods.calibrate import Calibration


@dataclass(frozen=True, kw_only=True)
class Revised:
    """What the steps of a run leave, beside the revised network itself.

    Attributes:
        original: The network before the first step.
        as_trained: The network after the last step, before BatchNorm was recalibrated.
        references: The retrained networks.
        proxies: What stands in for retrained networks.
        updates: The part of the run that changed weights, done.
        calibration: The calibration that was fitted, if any.
    """

    original: nn.Module
    as_trained: nn.Module
    references: Sequence[Reference]
    proxies: Sequence[Proxy]
    updates: Updates
    calibration: Calibration | None


def as_delivered(known: RevisionInput, network: nn.Module, *, max_images: int | None = None) -> nn.Module:
    """Return a network as it would be delivered if the run ended now.

    Args:
        known: The input of the run.
        network: The network in training; where nothing is recalibrated, it is returned itself.
        max_images: Recalibrate with about this many images; all of the sample by default.
    """
    settings = known.settings
    if not settings.recalibrate:
        return network
    return recalibration.as_delivered(
        network, known.remain.images, device=settings.device, seed=settings.seed, max_images=max_images
    )


def delivery_images(known: RevisionInput, *, max_images: int | None = None) -> int:
    """Return how many images `as_delivered` passes through the network of the run."""
    if not known.settings.recalibrate:
        return 0
    return recalibration.delivery_images(known.settings.network, known.remain.images, max_images=max_images)


def networks_of(known: RevisionInput, revised: Revised, shared: SharedPredictions) -> dict[str, nn.Module]:
    """Return every network by its name in the table of predictions, the controls of BatchNorm among them."""
    settings = known.settings
    networks = recalibration.with_controls(
        {ORIGINAL: revised.original, REVISED: settings.network},
        known.remain.images,
        device=settings.device,
        seed=settings.seed,
        shared=shared,
    )
    if settings.recalibrate and has_running_statistics(revised.as_trained):
        networks[REVISED + AS_TRAINED] = revised.as_trained
    for number, reference in enumerate(revised.references, 1):
        networks[reference_name(number)] = reference.network
    return networks


def predict(
    known: RevisionInput, networks: Mapping[str, nn.Module], shared: SharedPredictions
) -> dict[str, SubsetPredictions]:
    """Return the predictions of every network on every subset."""
    settings = known.settings
    return predict_models(
        networks,
        known.evaluated,
        device=settings.device,
        healthy=[settings.judged_classes.index(name) for name in settings.judged_by.healthy_classes],
        labels_of=len(settings.data.labels),
        shared=shared,
    )


def table_of(known: RevisionInput, revised: Revised, models: Mapping[str, SubsetPredictions]) -> PredictionTable:
    """Return the predictions of every network as one table."""
    networks = listed(
        models,
        original_seed=known.record.get("seed"),
        seed=known.settings.seed,
        references=revised.references,
        proxies=revised.proxies,
    )
    return prediction_table(known.settings.data, models, networks, sampled=known.sampled)


def run_networks(
    known: RevisionInput, networks: Mapping[str, nn.Module], order: Sequence[tuple[str, str]]
) -> RunNetworks:
    """Return the networks as audits see them, with the subsets in the order of the table of predictions."""
    as_trained = REVISED + AS_TRAINED
    return RunNetworks(
        networks,
        [known.evaluated[subset] for subset in order],
        remain=known.remain.images,
        revised=as_trained if as_trained in networks else REVISED,
        device=known.settings.device,
        seed=known.settings.seed,
    )
