"""Passes over the images of a part outside the steps: gradients, their squares, features and logits."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader

from monai_unlearn.methods.depth import blocks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn
    from torch.utils.data import Dataset

# Images that pass through the network together where no gradient of a single one is wanted.
PASS_SIZE = 64


def batches_of(images: Dataset[Any], device: torch.device, *, size: int = PASS_SIZE) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield images, shape (batch, channel, *spatial), and their classes, shape (batch,), in their own order."""
    # A generator of its own leaves the global random state alone.
    loader = DataLoader(images, batch_size=size, collate_fn=_stacked, generator=torch.Generator())
    for batch in loader:
        yield batch[0].to(device), batch[1].to(device)


def frozen_copy(network: nn.Module) -> nn.Module:
    """Return a copy in eval mode whose weights take no gradient, such as a teacher."""
    return copy.deepcopy(network).eval().requires_grad_(requires_grad=False)


def size_of(images: Dataset[Any] | None) -> int:
    """Return the number of images of a part; 0 where there is none."""
    return 0 if images is None else len(images)  # type: ignore[arg-type]  # torch's Dataset does not declare __len__


@contextmanager
def unchanged(network: nn.Module) -> Iterator[None]:
    """Run a network in eval mode, and restore the mode of each module; gradients of its weights are dropped."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        network.zero_grad(set_to_none=True)
        for module, training in modes.items():
            module.training = training


def mean_gradients(
    network: nn.Module,
    images: Dataset[Any],
    loss: Callable[[Tensor, Tensor], Tensor],
    device: torch.device,
) -> dict[str, Tensor]:
    """Return the gradient of a loss, a mean over all images, for each weight by name, in eval mode.

    Args:
        network: The network; weights, statistics and modes are left as they are.
        images: The images.
        loss: Maps logits (batch, class) and classes (batch,) to their mean loss.
        device: Where the network is.
    """
    total = {name: torch.zeros_like(weight) for name, weight in network.named_parameters()}
    with unchanged(network):
        for inputs, classes in batches_of(images, device):
            network.zero_grad(set_to_none=True)
            loss(network(inputs), classes).backward()  # type: ignore[no-untyped-call]  # torch's stubs lack it
            for name, weight in network.named_parameters():
                if weight.grad is not None:
                    total[name] += weight.grad * (len(inputs) / size_of(images))
    return total


def mean_squared_gradients(
    network: nn.Module,
    images: Dataset[Any],
    loss: Callable[[Tensor, Tensor], Tensor],
    device: torch.device,
) -> dict[str, Tensor]:
    """Return the mean over images of the squared gradient of each image's own loss: the diagonal of Fisher's matrix.

    Args and the network's state are as for `mean_gradients`.
    """
    total = {name: torch.zeros_like(weight) for name, weight in network.named_parameters()}
    with unchanged(network):
        # One image at a time: the square of a sum is not the sum of squares.
        for inputs, classes in batches_of(images, device, size=1):
            network.zero_grad(set_to_none=True)
            loss(network(inputs), classes).backward()  # type: ignore[no-untyped-call]  # torch's stubs lack it
            for name, weight in network.named_parameters():
                if weight.grad is not None:
                    total[name] += weight.grad.square() / size_of(images)
    return total


class Features:
    """Gives, beside the logits, what enters the last layer of a network, flattened.

    Args:
        network: The network.
        image: One input, shape (channel, *spatial), on its device; only its shape counts.
    """

    def __init__(self, network: nn.Module, image: Tensor) -> None:
        self.network = network
        self._head = network.get_submodule(blocks_of(network, image)[-1].names[0])

    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits, shape (batch, class), and features, shape (batch, feature), both with their graph."""
        seen: list[Tensor] = []

        def note(_module: nn.Module, given: tuple[Tensor, ...]) -> None:
            seen.append(given[0].flatten(1))

        hook = self._head.register_forward_pre_hook(note)
        try:
            logits: Tensor = self.network(inputs)
        finally:
            hook.remove()
        return logits, seen[-1]


def _stacked(items: list[Any]) -> tuple[Tensor, Tensor]:
    """Return images and classes alone: items may hold what cannot be collated, such as metadata."""
    images = torch.stack([torch.as_tensor(item["image"]) for item in items])
    return images, torch.tensor([int(item["label"]) for item in items])
