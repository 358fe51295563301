"""DUCK: move the embeddings of forget images to the nearest remain centroid of another class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import normalize

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import FORWARD_PASS, Method, MethodContext
from monai_unlearn.methods.depth import blank_image
from monai_unlearn.methods.passes import Features, batches_of, size_of, unchanged
from monai_unlearn.methods.registry import MethodInfo, register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


@register(
    MethodInfo(
        name="duck",
        paper="Cotogni et al. 2023, DUCK: Distance-based Unlearning via Centroid Kinematics, arXiv 2312.02052",
        equations="λ1 · cosine distance of forget embeddings to the nearest remain centroid of another class "
        "+ λ2 · cross entropy of remain images",
        needs=("forget", "remain"),
        suits=("class",),
        batch_norm="train mode on remain images, running statistics on forget images",
        cost="one gradient per image of each step; one forward pass of each remain image",
        boundary_targets=True,
        search_space={"method::forget_weight": (1.0, 0.3), "training::rate_factor": (0.3, 1.0, 0.1)},
    )
)
class DUCK(Method):
    """Moves forget embeddings towards the nearest centroid of another class (Cotogni et al. 2023).

    The embedding e(x) is what enters the last layer. With c_k the mean embedding of the remain training images of class
    k under the original network, and k*(x) the class k ≠ y whose centroid is nearest to e(x) by the cosine,

        λ1 · mean( 1 − cos(e(x_forget), c_k*) ) + λ2 · L( f(x_remain)/T, y )

    L is training's own loss. Departures: the nearest centroid is found anew in each step, and rate, optimiser and
    augmentation of remain images are training's own.

    Args:
        forget_weight: λ1, at least 0.
        remain_weight: λ2, at least 0.
        temperature: T, above 0.

    Raises:
        ConfigError: A value is out of range.
    """

    def __init__(self, *, forget_weight: float = 1.0, remain_weight: float = 1.4, temperature: float = 2.0) -> None:
        super().__init__(batch_norm="remain")
        if not (forget_weight >= 0 and remain_weight >= 0 and temperature > 0):
            raise ConfigError(
                "duck: expected forget_weight and remain_weight of at least 0 and temperature above 0, got "
                f"{forget_weight}, {remain_weight} and {temperature}."
            )
        self.forget_weight = forget_weight
        self.remain_weight = remain_weight
        self.temperature = temperature
        self._passed = 0

    def prepare(self, context: MethodContext) -> None:
        """Compute the centroids of the remain images.

        Raises:
            ConfigError: There are no remain images, or only those of one class.
        """
        super().prepare(context)
        if context.remain is None:
            raise ConfigError("duck: expected remain images, got none.")
        self._training_loss = context.training_loss
        self._features = Features(context.network, blank_image(context))
        self.centroids, self.labels = centroids(self._features, context)
        self._passed = size_of(context.remain) + 1
        if len(self.labels) < 2:  # noqa: PLR2004 - another class than the image's own
            raise ConfigError(
                "duck: expected remain images of two classes at least, got one, so that forget images of it have no "
                "other centroid to go to. Choose another method."
            )

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the distance of forget embeddings to their centroids, plus the loss of remain images."""
        remain = batch["remain"]
        kept = self._training_loss(self.forward("remain", remain["image"]) / self.temperature, remain["label"])
        if self.phase == "repair":
            return kept
        forget = batch["forget"]
        _, embeddings = self._features(forget["image"])
        cosines = normalize(embeddings) @ normalize(self.centroids).T
        own = forget["label"][:, None] == self.labels
        nearest = cosines.masked_fill(own, -torch.inf).max(1).values
        return self.forget_weight * (1 - nearest).mean() + self.remain_weight * kept

    @property
    def parts(self) -> tuple[str, ...]:
        """Both parts; in the repair phase remain images alone."""
        return ("remain",) if self.phase == "repair" else ("forget", "remain")

    @property
    def forward_passes(self) -> int:
        """One for each remain image, and the one that shows in which order the layers run."""
        return self._passed

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """A forward pass of each remain image."""
        return FORWARD_PASS * (remain + 1)


def centroids(features: Features, context: MethodContext) -> tuple[Tensor, Tensor]:
    """Return the mean features of the remain images by class, shape (class, feature), and the classes' numbers."""
    sums: dict[int, Tensor] = {}
    counts: dict[int, int] = {}
    if context.remain is None:
        raise AssertionError("a method that asks for centroids has remain images")
    with unchanged(context.network), torch.no_grad():
        for images, classes in batches_of(context.remain, context.device):
            found = features(images)[1]
            for label in sorted(set(classes.tolist())):
                rows = classes == label
                sums[label] = sums.get(label, torch.zeros_like(found[0])) + found[rows].sum(0)
                counts[label] = counts.get(label, 0) + int(rows.sum())
    labels = sorted(sums)
    return torch.stack([sums[one] / counts[one] for one in labels]), torch.tensor(labels, device=context.device)
