"""The networks of a run, what they predict, and how audits see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.engine.audits import RunNetworks
from monai_unlearn.engine.evaluating import predict_models
from monai_unlearn.engine.predicted import ORIGINAL, REVISED, reference_name
from monai_unlearn.engine.recalibration import with_controls
from monai_unlearn.evaluation import has_running_statistics
from monai_unlearn.evaluation.prediction_table import AS_TRAINED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.engine.revision_input import RevisionInput
    from monai_unlearn.engine.shared_predictions import SharedPredictions
    from monai_unlearn.evaluation import SubsetPredictions


def networks_of(
    known: RevisionInput,
    original: nn.Module,
    as_trained: nn.Module,
    references: Sequence[Reference],
    shared: SharedPredictions,
) -> dict[str, nn.Module]:
    """Return every network by its name in the table of predictions, the controls of BatchNorm among them."""
    networks = with_controls(
        {ORIGINAL: original, REVISED: known.given.network},
        known.remain.images,
        device=known.given.device,
        seed=known.given.seed,
        shared=shared,
    )
    if known.given.recalibrate and has_running_statistics(as_trained):
        networks[REVISED + AS_TRAINED] = as_trained
    for number, reference in enumerate(references, 1):
        networks[reference_name(number)] = reference.network
    return networks


def predict(
    known: RevisionInput, networks: Mapping[str, nn.Module], shared: SharedPredictions
) -> dict[str, SubsetPredictions]:
    """Return the predictions of every network on every subset."""
    healthy = [known.given.judged_classes.index(name) for name in known.given.judged_by.healthy_classes]
    return predict_models(
        networks,
        known.evaluated,
        device=known.given.device,
        healthy=healthy,
        labels_of=len(known.given.data.labels),
        shared=shared,
    )


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
        device=known.given.device,
        seed=known.given.seed,
    )
