"""Random labels: teach each forget image another class, drawn at random, and the remain images their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from monai_unlearn.methods.noise import image_generators
from monai_unlearn.methods.passes import size_of
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.two_terms import TwoTerms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from monai_unlearn.methods.base import MethodContext

SEARCH_SPACE: Mapping[str, tuple[str | int | float | bool, ...]] = {
    "method::remain_weight": (1.0, 3.0, 10.0),
    "training::rate_factor": (1.0, 0.3, 0.1),
}


@register(
    MethodInfo(
        name="random_label",
        paper="random labels of Golatkar et al. 2020, arXiv 1911.04933, with a remain term as in Fan et al. 2024, "
        "arXiv 2310.12508",
        equations="training's own loss of forget images against random other classes, and of remain images",
        needs=("forget", "remain"),
        suits=("class",),
        batch_norm="train mode on remain images, running statistics on forget images",
        boundary_targets=True,
        cost="one gradient per image of each step",
        search_space=SEARCH_SPACE,
    )
)
class RandomLabel(TwoTerms):
    """Trains forget images on a random other class, and remain images on their own.

    With training's own loss L, each step descends on

        L(f(x_forget), ỹ) + φ · L(f(x_remain), y),  ỹ uniform on the classes other than y

    ỹ is drawn once for an image, from the seed and its row. With two classes ỹ is the wrong class of every image.
    Departures: the two parts weigh 1 to φ and not by their sizes; the image's own class is never drawn; optimiser,
    rate and augmentation of remain images are training's own.

    Args:
        remain_weight: See `TwoTerms`.
        batch_norm: See `Method`.

    Raises:
        ConfigError: A value is out of range.
    """

    def prepare(self, context: MethodContext) -> None:
        """Draw, for each forget image, where its label lies among the other classes."""
        super().prepare(context)
        rows = range(size_of(context.forget))
        draws = [torch.rand((), dtype=torch.float64, generator=one) for one in image_generators(context.seed, rows)]
        self._draws = torch.tensor(draws, dtype=torch.float64)

    def other_labels(self, labels: Tensor, rows: Tensor, *, classes: int) -> Tensor:
        """Return ỹ of some images, shape (image,).

        Args:
            labels: Their own classes, shape (image,).
            rows: Their rows, shape (image,).
            classes: The number of classes.
        """
        steps = 1 + (self._draws[rows.cpu()] * (classes - 1)).long()
        return (labels + steps.to(labels.device)) % classes

    def forget_term(self, logits: Tensor, forget: Mapping[str, Any]) -> Tensor:
        """Return training's own loss against the random classes."""
        wanted = self.other_labels(forget["label"], forget["row"], classes=logits.shape[1])
        return self._training_loss(logits, wanted)
