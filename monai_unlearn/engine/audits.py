"""Runs the audits of a finished revision: on its predictions, and on the networks themselves."""

from __future__ import annotations

import copy
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset

from monai_unlearn.evaluation import has_running_statistics, recalibrated
from monai_unlearn.evaluation.audits import Audited, chosen, measure_audits
from monai_unlearn.evaluation.audits.relearning import BATCH
from monai_unlearn.methods.depth import modules_within
from monai_unlearn.methods.logit_ensemble import networks_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from torch import Tensor, nn

    from monai_unlearn.evaluation import PredictionTable

    Array = npt.NDArray[np.float64]
    Rows = npt.NDArray[np.int64]

RATE = 3e-4
"""Of Adam, the same for every network: what is compared is where each of them starts.

Adam's steps have a length of their own. Plain descent at 0.01 with frozen BatchNorm statistics took networks of the
fundus bundle to infinity within five steps; with this, retrained ones relearn in about thirty.
"""
_PASSED_AT_ONCE = 128


def run_audits(
    setting: str | Sequence[str] | None,
    networks: RunNetworks,
    predictions: PredictionTable,
    *,
    seed: int,
    plots: Path,
    allowed: float,
    seconds_per_pass: float,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure the audits that a config names, within the seconds that they may take.

    Args:
        setting: The setting `audits`.
        networks: The networks of the run.
        predictions: What they predict.
        seed: The run's seed.
        plots: The folder for plots.
        allowed: The seconds that they may take together; see `allowance`.
        seconds_per_pass: What one image takes through a network.
        clock: Returns seconds.

    Returns:
        The section `audits` of `metrics.json`, and what the audits cost.

    Raises:
        ConfigError: The setting names no registered audit.
    """
    return measure_audits(
        chosen(setting),
        Audited(table=predictions, networks=networks, seed=seed, plots=plots),
        allowed=allowed,
        seconds_per_pass=seconds_per_pass,
        clock=clock,
    )


class RunNetworks:
    """The networks of a run as audits see them; rows are those of the table of predictions.

    Args:
        networks: The networks by name, on the device.
        images: The data sets of the table, in the order of its rows.
        remain: The remain part's training images.
        revised: The name of the network to recalibrate: the revised one, before its recalibration if there was one.
        device: Where to compute.
        seed: Orders the batches.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        images: Sequence[Dataset[Any]],
        *,
        remain: Dataset[Any],
        revised: str,
        device: str | torch.device = "cpu",
        seed: int = 0,
    ) -> None:
        self.networks = networks
        self.images: ConcatDataset[Any] = ConcatDataset(images)
        self.remain = remain
        self.revised = revised
        self.device = torch.device(device)
        self.seed = seed

    @property
    def has_batch_norm(self) -> bool:
        """Whether the network keeps running statistics."""
        return has_running_statistics(self.networks[self.revised])

    def features(self, network: str, rows: Rows) -> Array:
        """Return what goes into the last layer with weights, averaged over space if it has any: (row, feature).

        Of an ensemble, the features of all its networks.
        """
        module = copy.deepcopy(self.networks[network]).eval()
        image = self.images[int(rows[0])]["image"].to(self.device)
        found: list[list[Array]] = []
        for one in networks_in(module):
            found.append([])
            head = one.get_submodule(modules_within(one, "head", image)[0])
            head.register_forward_pre_hook(partial(_note, found[-1]))
        self._logits(module, self._loader(rows))
        return np.concatenate([np.concatenate(features) for features in found], axis=1)

    def relearn(self, network: str, rows: Rows) -> Iterator[Array]:
        """Descend on the cross-entropy of these images, one batch a step; yield their logits after each step.

        BatchNorm keeps its statistics: what is learnt is in the weights. The batches are the same for every network.
        """
        module = copy.deepcopy(self.networks[network]).eval().requires_grad_(requires_grad=True)
        (batch,) = DataLoader(Subset(self.images, rows.tolist()), batch_size=len(rows))
        images, labels = batch["image"].to(self.device), batch["label"].to(self.device)
        optimizer = torch.optim.Adam(module.parameters(), lr=RATE)
        generator = torch.Generator().manual_seed(self.seed)
        while True:
            for some in torch.split(torch.randperm(len(rows), generator=generator), BATCH):
                optimizer.zero_grad()
                loss = cross_entropy(module(images[some]), labels[some])
                loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
                optimizer.step()
                with torch.no_grad():
                    yield _numpy(module(images))

    def recalibrated(self, rows: Rows, *, images: int, seed: int) -> Array:
        """Return the logits of the revised network, its BatchNorm recalibrated on so many remain images."""
        network = self.networks[self.revised]
        control = recalibrated(network, self.remain, device=self.device, seed=seed, images=images)
        return self._logits(control, self._loader(rows))

    def _loader(self, rows: Rows) -> DataLoader[Any]:
        return DataLoader(Subset(self.images, rows.tolist()), batch_size=_PASSED_AT_ONCE)

    def _logits(self, module: nn.Module, loader: DataLoader[Any]) -> Array:
        with torch.inference_mode():
            return np.concatenate([_numpy(module(batch["image"].to(self.device))) for batch in loader])


def _note(found: list[Array], _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    found.append(_numpy(inputs[0][:, :, None].flatten(2).mean(-1)))


def _numpy(values: Tensor) -> Array:
    return np.asarray(values.detach().double().cpu().numpy())
