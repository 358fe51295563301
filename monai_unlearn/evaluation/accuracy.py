"""What a network reads rightly, in all and class by class, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

BATCH = 128


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """A network's logits, shape (image, class), and the true classes, shape (image,), on the CPU."""

    logits: Tensor
    labels: Tensor

    @property
    def right(self) -> Tensor:
        """Whether each image is read rightly, shape (image,)."""
        return self.logits.argmax(1) == self.labels if len(self.labels) else torch.zeros(0, dtype=torch.bool)


def predict(
    network: nn.Module, data: Dataset[Any], *, device: str | torch.device = "cpu", batch_size: int = BATCH
) -> Predictions:
    """Run a network over a data set in eval mode; its mode is put back afterwards.

    Args:
        network: Outputs logits of shape (batch, class).
        data: Items with `image` (channel, *spatial) and `label`; may be empty.
        device: Where the network is.
        batch_size: Changes speed, not results.

    Raises:
        DataError: A label lies outside the network's classes.
    """
    training = network.training
    network.eval()
    logits, labels = [torch.zeros(0, 0)], [torch.zeros(0, dtype=torch.long)]
    try:
        with torch.inference_mode():
            for batch in DataLoader(data, batch_size=batch_size) if len(data) else ():  # type: ignore[arg-type]  # no __len__
                logits.append(network(batch["image"].to(device)).float().cpu())
                labels.append(batch["label"])
    finally:
        network.train(training)
    found = Predictions(logits=torch.cat(logits[1:] or logits), labels=torch.cat(labels))
    if len(found.labels) and int(found.labels.max()) >= found.logits.shape[1]:
        raise DataError(
            f"a label says class number {int(found.labels.max())}, but the network has {found.logits.shape[1]} "
            "outputs. The bundle's classes and its network_def disagree."
        )
    return found


def accuracy(predictions: Predictions, class_names: Sequence[str]) -> dict[str, Any]:
    """Count what is read rightly.

    Returns:
        `{"n", "correct", "accuracy", "interval": [low, high], "classes": {name: the same four}}`; accuracy
        and interval are null where n is 0. Accuracies are shares in [0, 1], intervals Wilson at 95 %.
    """
    right = predictions.right
    by_class = {name: proportion(right[predictions.labels == number]) for number, name in enumerate(class_names)}
    return {**proportion(right), "classes": by_class}


def proportion(right: Tensor) -> dict[str, Any]:
    """Return n, correct, accuracy and interval of a boolean tensor of shape (image,)."""
    n, correct = len(right), int(right.sum())
    interval = wilson(correct, n)
    return {
        "n": n,
        "correct": correct,
        "accuracy": correct / n if n else None,
        "interval": list(interval) if interval else None,
    }
