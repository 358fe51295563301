"""Targets of the forget images, from the logits at the points found."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from monai_unlearn.errors import ConfigError, check_choice

_CHOICES = {
    "labels": ("hard", "soft"),
    "logits": ("softmax", "raw"),
    "unflipped": ("keep", "runner_up"),
}


@dataclass(frozen=True, kw_only=True)
class TargetRule:
    """Turns the logits z at the point found into a target (arXiv 2505.21872, Algorithms 2 and 3).

    Args:
        labels: `hard` takes the class found, argmax z (Algorithm 2); `soft` all of z (Algorithm 3).
        logits: Soft targets are `softmax` of z, or `raw` z, compared with the network's logits by their mean squared
            error. (The published code can pass raw logits where cross entropy expects probabilities; that loss has no
            lower bound once a logit is negative.)
        top_k: Keeps the k largest logits and renormalises over them; soft targets only, at least 1.
        unflipped: For an image whose search stayed in its class: `keep` that class, as the paper does, or take the
            `runner_up`, the largest logit among the other classes. With `runner_up`, soft targets of all images have
            probability 0 for the image's own class: just across a boundary, it would still have nearly half.

    Raises:
        ConfigError: A choice is unknown, or two options contradict each other.
    """

    labels: str = "hard"
    logits: str = "softmax"
    top_k: int | None = None
    unflipped: str = "keep"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            check_choice(getattr(self, name), choices, name=name)
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError(f"psg: expected top_k to be at least 1, got {self.top_k}. Leave it out to keep all.")
        if self.labels == "hard" and (self.top_k is not None or self.logits == "raw"):
            raise ConfigError("psg: top_k and logits: raw need labels: soft. Set labels: soft, or leave them out.")
        if self.logits == "raw" and (self.top_k is not None or self.unflipped == "runner_up"):
            raise ConfigError(
                "psg: raw logits cannot be renormalised: expected logits: softmax with top_k or unflipped: runner_up, "
                "got logits: raw. Leave one of them out."
            )

    def targets(self, logits: Tensor, classes: Tensor) -> Tensor:
        """Return class numbers, shape (batch,), or a probability or logit for each class, shape (batch, class).

        Args:
            logits: z, shape (batch, class).
            classes: The images' own classes, shape (batch,).
        """
        if self.logits == "raw":
            return logits
        if self.unflipped == "runner_up":
            logits = logits.scatter(1, classes[:, None], -torch.inf)
        if self.labels == "hard":
            return logits.argmax(1)
        return (logits if self.top_k is None else _largest(logits, self.top_k)).softmax(1)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a network's logits, shape (batch, class), against targets: a mean over the batch."""
        return mse_loss(logits, targets) if self.logits == "raw" else cross_entropy(logits, targets)


def _largest(logits: Tensor, count: int) -> Tensor:
    """Keep the largest logits of each row; the others become −∞."""
    places = logits.topk(min(count, logits.shape[1]), dim=1).indices
    return torch.full_like(logits, -torch.inf).scatter(1, places, logits.gather(1, places))
