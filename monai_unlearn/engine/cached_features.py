"""The last blocks of a network, run and trained on features that the blocks before them gave once."""

from __future__ import annotations

import copy
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.depth import blocks_of, modules_within
from monai_unlearn.methods.fresh_weights import initialised_afresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch.utils.data import Dataset

BATCH = 128


class _Reached(Exception):  # noqa: N818 - it ends a forward pass, and is no error
    """The features are known; what comes behind need not run."""


class Tail(nn.Module):
    """The head of a network and the blocks before it, which take the features of the rest.

    What runs before them is replaced by nothing. So the network must be a chain: what its last blocks get is what the
    block before them gives. That is tried with an image.

    Args:
        network: The network; it is not changed.
        image: One input, shape (channel, *spatial), on its device; only its shape counts.
        blocks: How many blocks the tail has beside the head.

    Raises:
        ConfigError: The network has fewer blocks, or is no such chain.
    """

    def __init__(self, network: nn.Module, image: Tensor, *, blocks: int) -> None:
        super().__init__()
        self.names = modules_within(network, blocks, image)
        trunk = [name for block in blocks_of(network, image) for name in block.names if name not in self.names]
        self.inner = copy.deepcopy(network)
        for name in trunk:
            parent, _, child = name.rpartition(".")
            setattr(self.inner.get_submodule(parent), child, nn.Identity())
        self._blank, self._features = torch.zeros_like(image), torch.zeros(0)
        first = self.inner.get_submodule(self.names[0])
        first.register_forward_pre_hook(lambda _module, inputs: (self._features, *inputs[1:]))
        self._check(network, image)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of features, shape (batch, *features)."""
        self._features = features
        logits: Tensor = self.inner(self._blank.expand(len(features), *self._blank.shape).clone())
        self._features = torch.zeros(0)
        return logits

    def into(self, network: nn.Module) -> nn.Module:
        """Return a copy of the whole network with the tail's weights and statistics."""
        whole = copy.deepcopy(network)
        for name in self.names:
            whole.get_submodule(name).load_state_dict(self.inner.get_submodule(name).state_dict())
        return whole

    def reset(self, *, seed: int) -> None:
        """Initialise all layers afresh, from the seed alone.

        Raises:
            ConfigError: A layer has no method to initialise it.
        """
        self.inner.load_state_dict(initialised_afresh(self.inner, self.names, seed=seed))

    def _check(self, network: nn.Module, image: Tensor) -> None:
        generator = torch.Generator().manual_seed(0)
        images = torch.rand((2, *image.shape), generator=generator).to(image)
        try:
            with torch.no_grad():
                found = self.eval()(features_of(network, self.names[0], images))
                expected = _in_eval(network, images)
            is_chain = found.shape == expected.shape and torch.allclose(found, expected, rtol=1e-3, atol=1e-4)
        except (RuntimeError, IndexError):
            is_chain = False
        if not is_chain:
            raise ConfigError(
                "predictor: last_blocks needs a network that is a chain of blocks, whose last ones take nothing but "
                "what the block before them gives. Choose another predictor, such as half_width, or retrain."
            )


def features_of(network: nn.Module, name: str, images: Tensor) -> Tensor:
    """Return what a module of a network gets as its first input, in eval mode; what follows it does not run.

    Args:
        network: The network; its mode is restored.
        name: The module's name.
        images: Inputs of the network, shape (batch, channel, *spatial).
    """
    seen: list[Tensor] = []

    def note(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0].detach().clone())
        raise _Reached

    hook = network.get_submodule(name).register_forward_pre_hook(note)
    try:
        _in_eval(network, images)
    except _Reached:
        pass
    finally:
        hook.remove()
    return seen[0]


def cached(network: nn.Module, name: str, images: Dataset[Any], *, device: str | torch.device) -> tuple[Tensor, Tensor]:
    """Return the features and the labels of a data set, on the CPU.

    Args:
        network: The network.
        name: The module whose input the features are.
        images: Items with `image` and `label`.
        device: Where the network is.
    """
    found = [
        (features_of(network, name, batch["image"].to(device)).cpu(), batch["label"])
        for batch in DataLoader(images, batch_size=BATCH, generator=torch.Generator())
    ]
    features, labels = zip(*found, strict=True)
    return torch.cat(features), torch.cat(labels)


@dataclass(frozen=True, kw_only=True)
class TailSteps:
    """How a tail is trained.

    Attributes:
        steps: How many steps.
        batch_size: Images a step, at most as many as there are.
        warm_up: The share of the steps over which the rate rises linearly; then it falls to 0 along a cosine.
        seed: Orders the images, and seeds dropout.
    """

    steps: int
    batch_size: int
    warm_up: float
    seed: int


def train_tail(
    tail: Tail,
    features: Tensor,
    labels: Tensor,
    *,
    loss: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    how: TailSteps,
) -> None:
    """Train a tail on cached features.

    Args:
        tail: The tail, on its device.
        features: Shape (image, *features), on the CPU.
        labels: Shape (image,).
        loss: From logits and labels.
        optimizer: Over the tail's weights, at its peak rate.
        how: Steps, batches, rate and order.
    """
    device = next(tail.parameters()).device
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, how))
    tail.train()
    with torch.random.fork_rng(devices=[]):  # dropout
        torch.default_generator.manual_seed(how.seed)
        for rows in itertools.islice(_batches(len(labels), how), how.steps):
            optimizer.zero_grad(set_to_none=True)
            value = loss(tail(features[rows].to(device)), labels[rows].to(device))
            torch.autograd.backward(value)
            optimizer.step()
            schedule.step()
    tail.eval()


def _rate(step: int, how: TailSteps) -> float:
    rising = max(1, round(how.warm_up * how.steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, how.steps - rising)))


def _batches(images: int, how: TailSteps) -> Iterator[Tensor]:
    """Yield batches of rows without end, each round in another order; an incomplete last batch is left out."""
    generator, size = torch.Generator().manual_seed(how.seed), min(how.batch_size, images)
    while True:
        rows = torch.randperm(images, generator=generator)
        yield from (rows[start : start + size] for start in range(0, images - size + 1, size))


def _in_eval(network: nn.Module, images: Tensor) -> Tensor:
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            logits: Tensor = network(images)
    finally:
        for module, training in modes.items():
            module.training = training
    return logits
