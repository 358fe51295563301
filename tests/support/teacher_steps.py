"""Steps of a method that first trains its teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from method_bench import batch_of, context_of, small_items

from monai_unlearn.methods import RemainTeacher

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH = batch_of(small_items(), [0, 1, 2], list(range(4, 12)))


def prepared(
    network: nn.Module, state: dict[str, Any] | None = None, kind: type[RemainTeacher] = RemainTeacher, **settings: Any
) -> RemainTeacher:
    """Return a method that is ready for its first step, or for the next one after a state."""
    method = kind(depth="head", **settings)
    if state is not None:
        method.load_state_dict(state)
    method.prepare(context_of(network, small_items()))
    method.set_mode()
    return method


def a_step(method: RemainTeacher, done: float) -> Tensor:
    """Take a plain gradient step and return its loss."""
    method.done = done
    method.set_mode()
    loss = method.loss(BATCH)
    loss.backward()
    with torch.no_grad():
        for weight in method.network.parameters():
            if weight.grad is not None:
                weight.sub_(weight.grad, alpha=0.1)
            weight.grad = None
    return loss
