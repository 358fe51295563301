"""Judges candidates within a run by validation images alone, as experiments choose settings between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.engine.evaluating import predict_models
from monai_unlearn.engine.predicted import ORIGINAL, REVISED, listed, prediction_table, reference_name
from monai_unlearn.engine.recalibration import as_delivered, delivery_images
from monai_unlearn.evaluation.objective import ERASURE_FORMULA, FORMULA, VALIDATION, erasure, objective
from monai_unlearn.methods.logit_ensemble import networks_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from torch import nn
    from torch.utils.data import Dataset

    from monai_unlearn.data import CohortData
    from monai_unlearn.engine.reference import Reference
    from monai_unlearn.evaluation import SubsetPredictions

# Remain images that BatchNorm is recalibrated with to rank candidates; the result itself gets all of the sample.
MAX_IMAGES = 1024


class ValidationJudge:
    """Says how good a network is by validation images; smaller is better.

    Where the forget part is to be erased, or has no class in common with the others, the goal is known: see `erasure`.
    Otherwise it is what retrained networks predict: see `objective`.

    Args:
        data: The images of the run.
        subsets: The images by (part, split); those of other splits are not looked at.
        original: The original network.
        references: The retrained networks; not needed where the goal is known.
        erases: Whether the goal is known.
        remain: Remain training images to recalibrate BatchNorm with; None leaves its statistics as they are.
        device: Where to compute.
        seed: The run's seed.

    Attributes:
        formula: By what, in words.
        images_passed: Single images passed through a network so far.
    """

    def __init__(
        self,
        *,
        data: CohortData,
        subsets: Mapping[tuple[str, str], Dataset[Any]],
        original: nn.Module,
        references: Sequence[Reference],
        erases: bool,
        remain: Dataset[Any] | None,
        device: torch.device,
        seed: int,
    ) -> None:
        self.formula = ERASURE_FORMULA if erases else FORMULA
        self.images_passed = 0
        self._measure = erasure if erases else objective
        self._data, self._remain, self._device, self._seed = data, remain, device, seed
        self._subsets = {name: images for name, images in subsets.items() if name[1] == VALIDATION}
        self._references = () if erases else tuple(references)
        compared = {reference_name(number): one.network for number, one in enumerate(self._references, 1)}
        self._compared = {ORIGINAL: original, **compared}
        self._known: dict[str, SubsetPredictions] = {}

    def __call__(self, network: nn.Module) -> float:
        """Return how good a network is, as it would be delivered; infinite where an output is not finite.

        Raises:
            DataError: A part has no validation image, or no retrained network counts.
        """
        if not self._known:
            self._known = self._predict(self._compared)
        models = {**self._known, **self._predict({REVISED: self._delivered(network)})}
        known = listed(models, original_seed=None, seed=self._seed, references=self._references)
        return self._measure(prediction_table(self._data, models, known))

    def _delivered(self, network: nn.Module) -> nn.Module:
        if self._remain is None:
            return network
        images = delivery_images(network, self._remain, max_images=MAX_IMAGES)
        self.images_passed += len(networks_in(network)) * images
        return as_delivered(network, self._remain, device=self._device, seed=self._seed, max_images=MAX_IMAGES)

    def _predict(self, networks: Mapping[str, nn.Module]) -> dict[str, SubsetPredictions]:
        passes = sum(len(networks_in(network)) for network in networks.values())
        self.images_passed += passes * sum(map(len, self._subsets.values()))  # type: ignore[arg-type]  # no __len__
        return predict_models(networks, self._subsets, device=self._device, labels_of=len(self._data.labels))
