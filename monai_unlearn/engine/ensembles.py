"""A run whose network becomes two: what must be so before, and how the ensemble is presented after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.engine.head import SOFTMAX, as_classifier, head_of, with_head_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.logit_ensemble import networks_in
from monai_unlearn.release.ensemble_config import check_network_def

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from monai_unlearn.methods import Method


def check_ensemble(method: Method, network: nn.Module, bundle_root: Path) -> None:
    """Refuse to make an ensemble of networks with several outputs, or in a bundle whose configs cannot say so.

    Args:
        method: The method; only a composition by `ensemble` is looked at.
        network: The network to revise, after it was run once.
        bundle_root: The bundle.

    Raises:
        ConfigError: It cannot become an ensemble.
    """
    if getattr(method, "by", None) != "ensemble":
        return
    head = head_of(network)
    if head.has_others or head.output is not None:
        raise ConfigError(
            "by: ensemble averages networks that return logits alone, and this one has several outputs. Compose by "
            "splice, linear or task_vectors."
        )
    check_network_def(bundle_root)


def notes(network: nn.Module) -> list[str]:
    """Return what a reader of the results must know of an ensemble."""
    if len(networks_in(network)) == 1:
        return []
    note = (
        "The result is an ensemble of two networks: a prediction takes twice the time, the bundle needs monai-unlearn "
        "to run, and what either network holds of the forgotten images it still holds."
    )
    return [note]


def presented(ensemble: nn.Module, like: nn.Module) -> nn.Module:
    """Present an ensemble as a classifier, in place, by the head of the network that it replaces; return it."""
    for network in networks_in(ensemble):
        # The head is applied to their mean.
        as_classifier(network, SOFTMAX)
    return with_head_of(ensemble, like)
