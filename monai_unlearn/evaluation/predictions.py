"""What a network predicts for a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from monai_unlearn.errors import DataError
from monai_unlearn.evaluation.label_states import OFF

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
        images: Of networks with several labels, the number of the image that each row is a decision on, shape (row,);
            the classes are then those of `label_states`. None where a row is an image.

    >>> predictions = Predictions(logits=torch.tensor([[2.0, 0.0], [0.0, 1.0]]), labels=torch.tensor([0, 0]))
    >>> len(predictions), predictions.correct.tolist()
    (2, [True, False])
    """

    logits: Tensor
    labels: Tensor
    healthy: tuple[int, ...] = ()
    images: Tensor | None = None

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
        images = None if self.images is None else self.images[chosen]
        return Predictions(logits=self.logits[chosen], labels=self.labels[chosen], healthy=self.healthy, images=images)

    @property
    def task(self) -> Tensor:
        """The number of the label that each row is a decision on, shape (row,); 0 where a row is an image."""
        return torch.zeros_like(self.labels) if self.images is None else self.labels // 2

    @property
    def tasks(self) -> int:
        """On how many labels the rows are decisions; 1 where a row is an image, and where there is no row."""
        return max(1, len(np.unique(self.task.numpy())))

    def by_image(self, values: Tensor) -> Tensor:
        """Return the mean over the rows of each image of values, shape (row,): decisions on one image are not apart."""
        if self.images is None or not len(values):
            return values
        place = torch.from_numpy(np.unique(self.images.numpy(), return_inverse=True)[1])
        counts = torch.bincount(place)
        return torch.zeros(len(counts), dtype=values.dtype).index_add_(0, place, values) / counts

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
    labels_of: int = 0,
) -> Predictions:
    """Run a network over a data set in eval mode, then restore its mode.

    Args:
        network: Outputs logits of shape (batch, class).
        data: Items with `image` (channel, *spatial) and `label`; may be empty.
        device: Where the network is.
        batch_size: Changes speed, not results.
        healthy: The numbers of the classes that mean no disease, if any is declared.
        labels_of: How many labels an image may have; the classes of the network are then the sets of labels. 0 where
            an image has one class.

    Raises:
        DataError: A label lies outside the network's classes.
    """
    training = network.training
    network.eval()
    logits, labels = [torch.zeros(0, 0)], [torch.zeros(0, dtype=torch.long)]
    try:
        with torch.inference_mode():
            for batch in DataLoader(data, batch_size=batch_size) if len(data) else ():  # type: ignore[arg-type]  # no __len__
                of_batch = network(batch["image"].to(device)).float().cpu(), batch["label"]
                outputs, classes = decisions(*of_batch, count=labels_of) if labels_of else of_batch
                logits.append(outputs)
                labels.append(classes)
    finally:
        network.train(training)
    known = torch.cat(labels)
    images = torch.arange(len(known)) // labels_of if labels_of else None
    found = Predictions(logits=torch.cat(logits[1:] or logits), labels=known, healthy=healthy, images=images)
    if len(found) and int(found.labels.max()) >= found.logits.shape[1]:
        raise DataError(
            f"a label says class number {int(found.labels.max())}, but the network has {found.logits.shape[1]} "
            "outputs. The bundle's classes and its network_def disagree."
        )
    return found


def decisions(logits: Tensor, sets: Tensor, *, count: int) -> tuple[Tensor, Tensor]:
    """Return the decisions on each label of some images, image by image: logits and numbers of their states.

    Args:
        logits: Of the sets of labels, shape (image, 2^count), as `Head` presents them; that of a set is the sum of the
            logits of its labels.
        sets: The numbers of the sets that the images have, shape (image,).
        count: How many labels there are.

    Returns:
        Logits of the states of `label_states.states`, shape (image · count, 2 · count), and the numbers of the true
        states, shape (image · count,).
    """
    label = torch.arange(count)
    single = logits[:, 2**label] - logits[:, :1]
    states = torch.full((len(logits), count, 2 * count), OFF)
    states[:, label, 2 * label] = 0.0
    states[:, label, 2 * label + 1] = single
    true = 2 * label + (sets[:, None] >> label & 1)
    return states.flatten(0, 1), true.flatten()
