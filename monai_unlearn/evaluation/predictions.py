"""What a network predicts for a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from monai_unlearn.errors import DataError

if TYPE_CHECKING:
    from torch.utils.data import Dataset

BATCH = 128


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """A network's logits, shape (image, class), and the true classes, shape (image,), on the CPU.

    Attributes:
        logits: float32, shape (image, class).
        labels: The numbers of the true classes, shape (image,).
        healthy: The numbers of the classes that mean no disease; empty where none is declared, and then sensitivity and
            specificity have no value.

    >>> predictions = Predictions(logits=torch.tensor([[2.0, 0.0], [0.0, 1.0]]), labels=torch.tensor([0, 0]))
    >>> len(predictions), predictions.correct.tolist()
    (2, [True, False])
    """

    logits: Tensor
    labels: Tensor
    healthy: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def correct(self) -> Tensor:
        """Whether each image is classified correctly, boolean, shape (image,)."""
        return self.logits.argmax(1) == self.labels if len(self) else torch.zeros(0, dtype=torch.bool)

    @property
    def probabilities(self) -> Tensor:
        """The softmax of the logits in float64, in [0, 1], shape (image, class)."""
        return self.logits.double().softmax(1)

    def of_class(self, number: int) -> Predictions:
        """Return the predictions for the images whose true class has this number."""
        chosen = self.labels == number
        return self.of_images(chosen)

    def of_images(self, chosen: Tensor) -> Predictions:
        """Return the predictions for some images, by a boolean mask or by numbers."""
        return Predictions(logits=self.logits[chosen], labels=self.labels[chosen], healthy=self.healthy)

    @property
    def called_healthy(self) -> Tensor:
        """Whether each image is classified as a healthy class, boolean, shape (image,)."""
        predicted = self.logits.argmax(1) if len(self) else self.labels
        return torch.isin(predicted, torch.tensor(self.healthy, dtype=torch.long))

    @property
    def is_healthy(self) -> Tensor:
        """Whether the true class of each image is a healthy one, boolean, shape (image,)."""
        return torch.isin(self.labels, torch.tensor(self.healthy, dtype=torch.long))


def predict(
    network: nn.Module,
    data: Dataset[Any],
    *,
    device: str | torch.device = "cpu",
    batch_size: int = BATCH,
    healthy: tuple[int, ...] = (),
) -> Predictions:
    """Run a network over a data set in eval mode, then restore its mode.

    Args:
        network: Outputs logits of shape (batch, class).
        data: Items with `image` (channel, *spatial) and `label`; may be empty.
        device: Where the network is.
        batch_size: Changes speed, not results.
        healthy: The numbers of the classes that mean no disease, if any is declared.

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
    found = Predictions(logits=torch.cat(logits[1:] or logits), labels=torch.cat(labels), healthy=healthy)
    if len(found) and int(found.labels.max()) >= found.logits.shape[1]:
        raise DataError(
            f"a label says class number {int(found.labels.max())}, but the network has {found.logits.shape[1]} "
            "outputs. The bundle's classes and its network_def disagree."
        )
    return found
