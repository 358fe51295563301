"""Collective operations of the processes that revise one network together, by way of `ignite.distributed`.

In a run of a single process, every function here does nothing, or returns its argument.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

import ignite.distributed as idist
import torch
from torch import Tensor, distributed

from monai_unlearn.errors import ConfigError, TrainingError
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

# How long the others wait while the main process retrains, evaluates and writes. If it dies, they notice at once.
WAIT_TIMEOUT = timedelta(days=30)


class _Waiting:
    """The process group for long waits; there is none outside a distributed run."""

    group: distributed.ProcessGroup | None = None


def process_device() -> str:
    """Return this process's device: its own GPU if the machine has any, else the CPU."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


def initialize(*, device: str | torch.device, timeout: float = 600) -> None:
    """Join the processes that torchrun started: over NCCL on CUDA, over Gloo elsewhere.

    Args:
        device: This process's device.
        timeout: Seconds to wait for the other processes in a collective operation before the run ends.

    Raises:
        ConfigError: This process was not started by torchrun.
    """
    if "WORLD_SIZE" not in os.environ:
        raise ConfigError(
            "configs/multi_gpu.yaml needs several processes. Start them with torchrun --nproc_per_node N "
            "-m monai.bundle run …, or leave multi_gpu.yaml out."
        )
    backend = "nccl" if torch.device(device).type == "cuda" else "gloo"
    signal.signal(signal.SIGTERM, _on_sigterm)
    idist.initialize(backend, timeout=timedelta(seconds=timeout))
    _Waiting.group = distributed.new_group(backend="gloo", timeout=WAIT_TIMEOUT) if world_size() > 1 else None


def finalize() -> None:
    """Leave the process group at the end of a run."""
    _Waiting.group = None
    idist.finalize()


def rank() -> int:
    """Return the number of this process, from 0."""
    number: int = idist.get_rank()
    return number


def world_size() -> int:
    """Return the number of processes."""
    number: int = idist.get_world_size()
    return number


def is_main_process() -> bool:
    """Return whether this is the process that evaluates, writes and prints."""
    return rank() == 0


def wait() -> None:
    """Wait until every process has called this, however long the main process takes.

    Raises:
        TrainingError: Another process ended.
    """
    if _Waiting.group is not None:
        with _together():
            distributed.barrier(group=_Waiting.group)


def all_reduce_sum(tensor: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes; every process must call this.

    Raises:
        TrainingError: Another process ended.
    """
    if world_size() == 1:
        return tensor
    with _together():
        total: Tensor = idist.all_reduce(tensor.clone())
    return total


def broadcast(value: float, device: torch.device) -> float:
    """Return the main process's value in every process; every process must call this.

    Raises:
        TrainingError: Another process ended.
    """
    if world_size() == 1:
        return value
    with _together():
        received: Tensor = idist.broadcast(torch.tensor(value, dtype=torch.float64, device=device), src=0)
    return float(received)


def average(loss: float, tensors: Iterable[Tensor], device: torch.device) -> float:
    """Replace tensors by their means over all processes, and return the mean of a loss, in one transfer.

    If the shares of a batch are equal, the mean of the gradients is the gradient of the whole batch, up to the order
    in which floating-point numbers are added.

    Args:
        loss: This process's loss.
        tensors: The same tensors on every process, in the same order.
        device: Where the tensors are.

    Raises:
        TrainingError: Another process ended.
    """
    processes = world_size()
    if processes == 1:
        return loss
    own = list(tensors)
    flat = torch.cat([torch.tensor([loss], device=device), *(tensor.detach().float().flatten() for tensor in own)])
    flat = all_reduce_sum(flat) / processes
    means = flat[1:].split([tensor.numel() for tensor in own])  # type: ignore[no-untyped-call]  # torch's stubs lack it
    for tensor, mean in zip(own, means, strict=True):
        tensor.copy_(mean.view_as(tensor))
    return float(flat[0])


def _on_sigterm(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Explain why this process ends: when one process dies, torchrun stops the others with SIGTERM."""
    say(
        f"Process {rank()} received SIGTERM, most likely because another process of this run ended. The same command "
        "resumes from the last checkpoint.",
        err=True,
    )
    raise SystemExit(128 + signal.SIGTERM)


@contextmanager
def _together() -> Iterator[None]:
    """Turn the error of a lost process into one that says so."""
    try:
        yield
    except RuntimeError as error:
        raise TrainingError(
            f"another process of this run ended or did not answer ({type(error).__name__} in process {rank()}). "
            "The same command resumes from the last checkpoint."
        ) from error
