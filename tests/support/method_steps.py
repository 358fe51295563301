"""Steps of a method on a small network, as the trainer takes them, whole, resumed or in two processes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from method_bench import batch_of, context_of, small_items, small_network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from monai_unlearn.methods import Method

ITEMS = small_items()
FORGET, REMAIN = 4, 6  # images in a batch


def batch_at(step: int) -> dict[str, Any]:
    """Return the batch of a step: both parts in turn."""
    count = len(ITEMS)
    rows = [[(step * size + i) % count for i in range(size)] for size in (FORGET, REMAIN)]
    return batch_of(ITEMS, rows[0], rows[1])


@dataclass
class Run:
    """A run of a method, prepared, on a small network whose values depend on a seed alone."""

    method: Method
    settings: Mapping[str, Any] = field(default_factory=dict)
    total: int = 12

    def __post_init__(self) -> None:
        self.network = small_network()
        # Weight decay moves weights that have no gradient.
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0.02, weight_decay=0.1)

    def prepare(self) -> Run:
        """Prepare the method."""
        self.method.prepare(context_of(self.network, ITEMS, **self.settings))
        return self

    def take(self, first: int, last: int) -> Run:
        """Take the steps from one number to before another."""
        for step in range(first, last):
            self.method.phase, self.method.done = "forget", step / self.total
            self.method.set_mode()
            self.optimizer.zero_grad(set_to_none=True)
            self.method.loss(batch_at(step)).backward()
            self.method.adjust_gradients()
            self.optimizer.step()
            self.method.after_step()
        return self

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the weights."""
        return {name: value.clone() for name, value in self.network.state_dict().items()}


def assert_resumes_and_repeats(
    make: Callable[[], Method], *, at: tuple[int, ...] = (0, 5, 12), **settings: Any
) -> None:
    """Check that a run gives the same bits twice, and when it is killed after some steps and resumed."""
    whole = Run(make(), settings).prepare().take(0, 12)
    whole.method.finish()
    assert any(not torch.equal(value, small_network().state_dict()[name]) for name, value in whole.weights().items())
    for stop in (0, 5, 12):
        killed = Run(make(), settings).prepare().take(0, stop)
        method, weights, optimizer = killed.method.state_dict(), killed.weights(), killed.optimizer.state_dict()
        resumed = Run(make(), settings)
        resumed.method.load_state_dict(method)
        resumed.prepare()
        resumed.network.load_state_dict(weights)
        resumed.optimizer.load_state_dict(optimizer)
        resumed.take(stop, 12).method.finish()
        for name, value in whole.weights().items():
            assert torch.equal(value, resumed.weights()[name]), (stop, name)
        assert resumed.method.gradient_evaluations == whole.method.gradient_evaluations


def in_two_processes(work: Callable[[int, Callable[[Tensor], Tensor]], Any]) -> list[Any]:
    """Return what two threads return that play two processes: each is given its rank and a sum over both."""
    barrier, given, found = threading.Barrier(2, timeout=60), [torch.empty(0)] * 2, [None, None]

    def run(rank: int) -> None:
        def all_reduce_sum(tensor: Tensor) -> Tensor:
            given[rank] = tensor
            barrier.wait()
            total = given[0] + given[1]
            barrier.wait()
            return total

        found[rank] = work(rank, all_reduce_sum)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def gradients_of(method: Method, batch: dict[str, Any]) -> list[Tensor]:
    """Return the gradients of a loss, by weight."""
    method.set_mode()
    weights = [weight for weight in method.network.parameters() if weight.requires_grad]
    found = torch.autograd.grad(method.loss(batch), weights, allow_unused=True)
    return [torch.zeros_like(w) if g is None else g for w, g in zip(weights, found, strict=True)]


def assert_two_processes_share_a_step(make: Callable[[], Method], *, step: int = 0, **settings: Any) -> None:
    """Check that the mean gradient of two processes, each with half of a batch, is that of one with all of it.

    The method must use the original's BatchNorm statistics, which half a batch does not change.
    """
    shift = torch.Generator().manual_seed(3)
    moved = [0.05 * torch.randn(weight.shape, generator=shift) for weight in small_network().parameters()]

    def prepared(**shared: Any) -> Method:
        method, network = make(), networks.pop()
        method.prepare(context_of(network, ITEMS, **settings, **shared))
        method._steps, method.done = step, step / 12
        with torch.no_grad():
            for weight, by in zip(network.parameters(), moved, strict=True):
                weight[: len(by)] += by
        return method

    def share(rank: int, all_reduce_sum: Callable[[Tensor], Tensor]) -> list[Tensor]:
        method = prepared(rank=rank, world_size=2, all_reduce_sum=all_reduce_sum)
        batch = {part: {key: value[rank::2] for key, value in items.items()} for part, items in batch_at(step).items()}
        return gradients_of(method, batch)

    networks = [small_network() for _ in range(3)]
    whole = gradients_of(prepared(), batch_at(step))
    for expected, *halves in zip(whole, *in_two_processes(share), strict=True):
        torch.testing.assert_close(torch.stack(halves).mean(0), expected, rtol=1e-4, atol=1e-7)
