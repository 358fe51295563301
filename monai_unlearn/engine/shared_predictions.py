"""What the runs of an experiment share beside images: predictions of the networks that are the same in each of them.

All runs on a cohort measure the same original, the same retrained networks and the same controls of them. What one of
them predicts on a data set is kept under a digest of the network, with its weights, of the images, and of what decides
the last bits of a float. A run that finds it there computes nothing, and gets the same.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch.utils.data import DataLoader

from monai_unlearn.data.read_once import key_of
from monai_unlearn.data.transform_digest import transform_digest
from monai_unlearn.engine.head import head_of
from monai_unlearn.evaluation import Predictions, predict, recalibrated
from monai_unlearn.evaluation.batchnorm import statistics, with_statistics
from monai_unlearn.evaluation.predictions import BATCH
from monai_unlearn.staging import staged_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import TypeVar

    from torch import Tensor, nn
    from torch.utils.data import Dataset

    from monai_unlearn.evaluation import SubsetPredictions

    Made = TypeVar("Made")
    Arrays = dict[str, Tensor]

FOLDER = "predictions"
_SECONDS, _OTHERS = "seconds", "other_outputs"


class SharedPredictions:
    """What a run predicts, and takes over from other runs of its experiment.

    Args:
        folder: The folder that they share; None where there is none, and then everything is computed.

    Attributes:
        seconds: What others took for what this run took over.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self.seconds = 0.0

    def predict_subsets(
        self,
        network: nn.Module,
        subsets: Mapping[tuple[str, str], Dataset[Any]],
        *,
        device: str | torch.device,
        healthy: tuple[int, ...] = (),
        labels_of: int = 0,
    ) -> SubsetPredictions:
        """Return what `evaluation.predict_subsets` does."""
        digest = self._digest(network)

        def one(data: Dataset[Any]) -> Predictions:
            return self._shared(
                (digest, key_of(data) if digest else None, str(device), str(labels_of)),
                compute=lambda: predict(network, data, device=device, healthy=healthy, labels_of=labels_of),
                to_arrays=lambda found: _arrays(found, network),
                of_arrays=lambda found: _predictions(found, data, healthy, network),
            )

        return {subset: one(data) for subset, data in subsets.items()}

    def recalibrated(
        self, network: nn.Module, remain: Dataset[Any], *, device: str | torch.device, seed: int
    ) -> nn.Module:
        """Return what `evaluation.recalibrated` does."""
        digest = self._digest(network)
        return self._shared(
            (digest, key_of(remain) if digest else None, str(device), f"seed {seed}"),
            compute=lambda: recalibrated(network, remain, device=device, seed=seed),
            to_arrays=statistics,
            of_arrays=lambda found: with_statistics(network, found),
        )

    def _digest(self, network: nn.Module) -> str | None:
        """Return what decides what a network predicts in eval mode; None where that cannot be told."""
        if self._folder is None:
            return None
        training = network.training
        try:
            return transform_digest(network.eval())
        finally:
            network.train(training)

    def _shared(
        self,
        what: tuple[str | None, ...],
        *,
        compute: Callable[[], Made],
        to_arrays: Callable[[Made], Arrays],
        of_arrays: Callable[[Arrays], Made],
    ) -> Made:
        """Return what other runs computed; else compute it, and leave it to them."""
        if self._folder is None or None in what:
            return compute()
        threads = (str(torch.get_num_threads()), str(BATCH))
        name = hashlib.sha256(" ".join([*map(str, what), *threads]).encode()).hexdigest()
        path = self._folder / FOLDER / f"{name}.npz"
        found = _read(path)
        if found is not None:
            with suppress(KeyError, ValueError):  # of something else
                seconds = float(found.pop(_SECONDS))
                made = of_arrays(found)
                self.seconds += seconds
                return made
        started = time.perf_counter()
        made = compute()
        self._write(path, {**to_arrays(made), _SECONDS: torch.tensor(time.perf_counter() - started)})
        return made

    def _write(self, path: Path, arrays: Arrays) -> None:
        # What a killed experiment shared with this run is removed by the next one, and is not made again.
        if self._folder is None or not self._folder.is_dir():
            return
        try:
            with staged_file(path) as aside:
                # Arrays of tensors are plain numbers: nothing is pickled.
                plain: dict[str, Any] = {name: value.cpu().numpy() for name, value in arrays.items()}
                np.savez(aside, **plain)
        except (OSError, TypeError):  # no room; or a type that NumPy does not know
            self._folder = None


def _read(path: Path) -> Arrays | None:
    try:
        with np.load(path, allow_pickle=False) as found:
            return {name: torch.from_numpy(found[name]) for name in found.files}
    except (OSError, ValueError, TypeError, EOFError, BadZipFile):
        return None


def _arrays(found: Predictions, network: nn.Module) -> Arrays:
    images = {} if found.images is None else {"images": found.images}
    others = torch.tensor(head_of(network).has_others)
    return {"logits": found.logits, "labels": found.labels, _OTHERS: others, **images}


def _predictions(found: Arrays, data: Dataset[Any], healthy: tuple[int, ...], network: nn.Module) -> Predictions:
    made = Predictions(logits=found["logits"], labels=found["labels"], healthy=healthy, images=found.get("images"))
    # What predicting would have left behind: a seed drawn from torch's generator, and what the head has noticed.
    if len(data):  # type: ignore[arg-type]  # torch's Dataset has no __len__
        iter(DataLoader(data, batch_size=BATCH))
    head_of(network).has_others |= bool(found[_OTHERS])
    return made
