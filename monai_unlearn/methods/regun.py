"""Reference-guided unlearning: predict forget images as never-trained images of their class are predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import FORWARD_PASS, Method, MethodContext
from monai_unlearn.methods.passes import batches_of, frozen_copy, size_of
from monai_unlearn.methods.registry import MethodInfo, register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


@register(
    MethodInfo(
        name="regun",
        paper="Mirlach et al. 2026, Reference-Guided Machine Unlearning, arXiv 2603.11210",
        equations="forget images distilled towards the original's mean prediction on held-out images of their class",
        needs=("forget", "remain", "validation"),
        suits=("part_of_class", "patients", "labels"),
        batch_norm="train mode on remain images, running statistics on forget images",
        cost="one gradient per image of each step; one forward pass of each validation image",
        search_space={"method::remain_weight": (1.0, 3.0, 10.0), "training::rate_factor": (0.3, 1.0, 0.1)},
    )
)
class ReGUn(Method):
    """Moves predictions of forget images to those of images of the same class that were never trained on.

    With p̄_c the mean of the original's softmax over the validation images of class c, of both parts, a step descends on

        KL( p̄_y ‖ softmax f(x_forget) ) + φ · L( f(x_remain), y )

    L is training's own loss. Departure: the paper draws held-out images that match the classes of each batch and
    averages over the batch; here each image has the average of its own class, over all its held-out images.

    Args:
        remain_weight: φ, at least 0.

    Raises:
        ConfigError: It is below 0.
    """

    def __init__(self, *, remain_weight: float = 1.0) -> None:
        super().__init__(batch_norm="remain")
        if remain_weight < 0:
            raise ConfigError(f"regun: expected remain_weight >= 0, got {remain_weight}.")
        self.remain_weight = remain_weight
        self.targets: dict[int, Tensor] = {}
        self._passed = 0

    def prepare(self, context: MethodContext) -> None:
        """Average the original's predictions of validation images by class.

        Raises:
            ConfigError: A class of the forget images has no validation image.
        """
        super().prepare(context)
        self._training_loss = context.training_loss
        original = frozen_copy(context.network)
        found: dict[int, list[Tensor]] = {}
        self._passed = 0
        with torch.no_grad():
            for images in context.validation.values():
                for inputs, classes in batches_of(images, context.device):
                    for probabilities, label in zip(original(inputs).softmax(1), classes.tolist(), strict=True):
                        found.setdefault(label, []).append(probabilities)
                self._passed += size_of(images)
        self.targets = {label: torch.stack(rows).mean(0) for label, rows in found.items()}
        wanted = {int(label) for _, labels in batches_of(context.forget, context.device) for label in labels}
        if missing := wanted - set(self.targets):
            raise ConfigError(
                f"regun: {len(missing)} of the forget images' classes have no validation image, whose predictions "
                'would be the target. Put patients into validation, as in --split "{seed: 0, test_fraction: 0.2, '
                'validation_fraction: 0.1}", or choose another method.'
            )

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the divergence from the targets, plus φ times training's loss on the remain images."""
        remain = batch["remain"]
        if self.phase == "repair":
            return self._training_loss(self.forward("remain", remain["image"]), remain["label"])
        forget = batch["forget"]
        kept = self.forward("remain", remain["image"])
        log_q = self.forward("forget", forget["image"]).log_softmax(1)
        targets = torch.stack([self.targets[int(label)] for label in forget["label"]])
        divergence = (torch.xlogy(targets, targets) - targets * log_q).sum(1).mean()
        return divergence + self.remain_weight * self._training_loss(kept, remain["label"])

    @property
    def parts(self) -> tuple[str, ...]:
        """Both parts; in the repair phase remain images alone."""
        return ("remain",) if self.phase == "repair" else ("forget", "remain")

    @property
    def forward_passes(self) -> int:
        """One for each validation image."""
        return self._passed

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """A forward pass of each validation image."""
        return FORWARD_PASS * validation
