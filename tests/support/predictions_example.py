"""Seeded predictions: a fixture of the tests of metrics."""

from __future__ import annotations

import torch

from monai_unlearn.evaluation import Predictions


def predictions(n: int, *, classes: int = 3, seed: int = 0, strength: float = 1.0) -> Predictions:
    """Return predictions for n images: random logits, higher by `strength` at the true class.

    Two of the same n and number of classes are for the same images.
    """
    labels = torch.randint(0, classes, (n,), generator=torch.Generator().manual_seed(1000 * n + classes))
    logits = torch.randn(n, classes, generator=torch.Generator().manual_seed(seed))
    logits[torch.arange(n), labels] += strength
    return Predictions(logits=logits, labels=labels)
