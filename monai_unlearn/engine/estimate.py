"""What a run will cost, before its first step: images, steps, gradients, and seconds by a batch that is timed here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Subset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn
    from torch.utils.data import Dataset

    from monai_unlearn.engine.budget import Budget
    from monai_unlearn.engine.trainer import UnlearnTrainer

TIMED = 16
"""Images of the batch that is timed, at most."""
_REPEATS = 2


def estimate_of(
    trainer: UnlearnTrainer,
    *,
    counts: Mapping[str, int],
    planned: Budget | None,
    retraining: float | None,
    retrained: int,
    seconds_a_gradient: float,
) -> dict[str, Any]:
    """Return what a run will cost.

    Evaluation of the result, and decoding images, come on top: they are no gradients, and short beside training.

    Args:
        trainer: The trainer, with the budget that it keeps to.
        counts: Training images by part.
        planned: The budget of the run; None where steps or epochs say how long it is.
        retraining: What retraining costs once, in gradient evaluations; None where no training record says.
        retrained: How many networks the run retrains, to compare with.
        seconds_a_gradient: What the gradient of one image takes on this machine.

    Returns:
        `images` by part, `steps`, `gradient_evaluations` and `seconds` of `unlearning`, `references` and `total`,
        `retraining_gradient_evaluations`, and `share_of_retraining`, of unlearning alone. What is not known is null.
    """
    method, steps = trainer.method, 0 if trainer.method.one_shot else trainer.planned_steps
    prepared = method.gradients_to_prepare(**counts)
    a_step = 0 if method.one_shot else method.gradients_a_step(**trainer.loader.batch_sizes)
    # A budget is spent to one step; of a method without steps, it is what it may cost at most.
    unlearning = prepared + steps * a_step if planned is None or method.one_shot else planned.limit
    references = None if retrained and retraining is None else retrained * (retraining or 0)
    gradients = {
        "unlearning": round(unlearning),
        "references": None if references is None else round(references),
        "total": None if references is None else round(unlearning + references),
    }
    return {
        "images": dict(counts),
        "steps": steps,
        "gradient_evaluations": gradients,
        "retraining_gradient_evaluations": None if retraining is None else round(retraining),
        "share_of_retraining": unlearning / retraining if retraining else None,
        "seconds": {
            name: None if number is None else round(number * seconds_a_gradient, 1)
            for name, number in gradients.items()
        },
        "networks_to_retrain": retrained,
    }


def seconds_a_gradient(
    network: nn.Module,
    images: Dataset[Any],
    *,
    device: torch.device,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return what the gradient of one image takes here: a batch of training images, forward and back, the best of two.

    The network's weights and statistics stay as they are.

    Args:
        network: The network, on the device.
        images: Training images, as items with `image` and `label`.
        device: Where to compute.
        clock: Returns seconds.
    """
    size = min(TIMED, len(images))  # type: ignore[arg-type]  # data sets here have a length
    (batch,) = DataLoader(Subset(images, range(size)), batch_size=size)
    inputs, labels = batch["image"].to(device), batch["label"].to(device)
    training = network.training
    network.eval()
    found = []
    try:
        for _ in range(_REPEATS + 1):  # the first one warms up
            started = clock()
            cross_entropy(network(inputs), labels).backward()  # type: ignore[no-untyped-call]  # torch has no type for it
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            found.append(clock() - started)
    finally:
        network.zero_grad(set_to_none=True)
        network.train(training)
    return min(found[1:]) / size
