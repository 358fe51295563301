"""GEAR: keep the features of remain images, and push those of forget images away from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import cosine_similarity, normalize

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import FORWARD_PASS, Method, MethodContext
from monai_unlearn.methods.depth import blank_image
from monai_unlearn.methods.duck import centroids
from monai_unlearn.methods.passes import Features, frozen_copy, size_of
from monai_unlearn.methods.registry import MethodInfo, register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


@register(
    MethodInfo(
        name="gear",
        paper="GEAR, unpublished as far as we know: after code by the authors of arXiv 2505.21872",
        equations="remain cross entropy + γ (pull remain features to the original's + push forget features from remain "
        "ones − spread of forget features)",
        needs=("forget", "remain"),
        suits=("class",),
        batch_norm="train mode on remain images, running statistics on forget images",
        cost="one gradient per image of each step, and one forward pass of the original per remain image",
        search_space={"method::feature_weight": (1.0, 0.3, 3.0), "training::rate_factor": (0.3, 1.0, 0.1)},
    )
)
class GEAR(Method):
    """Separates the features of forget images from those of remain images.

    With e the features that enter the last layer, e₀ those of the original network, and c_k the mean remain features
    of class k under the original, a step descends on

        L( f(x_remain), y ) + γ · ( pull + push − spread )
        pull   = mean over remain images of 1 − cos(e(x), e₀(x))
        push   = mean over forget × remain images of w(x_forget) · cos(e(x_forget), e(x_remain)),
                 w(x) = max_k cos(e(x), c_k), at least 0 and without a gradient
        spread = 1 − mean over pairs of different forget images of cos(e(x), e(x'))

    L is training's own loss. Departures: rate, optimiser and augmentation of remain images are training's own
    (published: stochastic gradient descent at 1e-4 with momentum 0.9); BatchNorm does not train on forget images.

    Args:
        feature_weight: γ, at least 0.

    Raises:
        ConfigError: It is below 0.
    """

    def __init__(self, *, feature_weight: float = 1.0) -> None:
        super().__init__(batch_norm="remain")
        if feature_weight < 0:
            raise ConfigError(f"gear: expected feature_weight >= 0, got {feature_weight}.")
        self.feature_weight = feature_weight
        self._passed = 0

    def prepare(self, context: MethodContext) -> None:
        """Compute the centroids of the remain images, and keep the original network.

        Raises:
            ConfigError: There are no remain images.
        """
        super().prepare(context)
        if context.remain is None:
            raise ConfigError("gear: expected remain images, got none.")
        self._training_loss = context.training_loss
        self._features = Features(context.network, blank_image(context))
        self._original = Features(frozen_copy(context.network), blank_image(context))
        self.centroids, _ = centroids(self._original, context)
        self._passed = size_of(context.remain) + 2

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss of remain images and the terms of the features."""
        remain = batch["remain"]
        with torch.no_grad():
            wanted = self._original(remain["image"])[1]
        logits, kept = self._remain_features(remain["image"])
        loss = self._training_loss(logits, remain["label"])
        terms = (1 - cosine_similarity(kept, wanted)).mean()
        if self.phase != "repair":
            terms = terms + self._apart(self._features(batch["forget"]["image"])[1], kept)
        return loss + self.feature_weight * terms

    def _remain_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        self._train_batch_norm(wanted=True)
        try:
            return self._features(images)
        finally:
            self._train_batch_norm(wanted=False)

    def _apart(self, forget: Tensor, remain: Tensor) -> Tensor:
        """Return push − spread."""
        unit = normalize(forget)
        nearest = (unit @ normalize(self.centroids).T).max(1).values.clamp(min=0).detach()
        push = (nearest[:, None] * (unit @ normalize(remain).T)).mean()
        count = len(unit)
        if count == 1:  # there is no other image to be away from
            return push
        between = (unit @ unit.T).sum() - (unit * unit).sum()
        return push - (1 - between / (count * (count - 1)))

    @property
    def parts(self) -> tuple[str, ...]:
        """Both parts; in the repair phase remain images alone."""
        return ("remain",) if self.phase == "repair" else ("forget", "remain")

    @property
    def taught(self) -> tuple[str, ...]:
        """The remain images, whose features the original gives."""
        return ("remain",)

    @property
    def forward_passes(self) -> int:
        """One for each remain image, and the two that show in which order the layers run."""
        return self._passed

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """A forward pass of each remain image."""
        return FORWARD_PASS * (remain + 2)
