"""For a bundle's `multi_gpu.yaml`: several processes train one network, and one of them writes it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


class Replicated(DistributedDataParallel):
    """A network that every process has a copy of, with gradients averaged over the processes.

    Its state dict is that of the wrapped network, so that weights trained on several devices load on one.
    """

    def state_dict(self, *arguments: Any, **options: Any) -> dict[str, Any]:  # type: ignore[override]  # noqa: ANN401 - torch's overloads
        """Return the state dict of the wrapped network."""
        state: dict[str, Any] = self.module.state_dict(*arguments, **options)
        return state


def replicated(network: nn.Module, device: str | torch.device) -> Replicated:
    """Wrap a network, which is on its device, as this process's copy."""
    on_cuda = torch.device(device).type == "cuda"
    return Replicated(network, device_ids=[torch.device(device)] if on_cuda else None)


def written_once(path: str | Path) -> Path:
    """Return the path in the main process, and a temporary one, which nothing reads, in the others."""
    if distributed.get_rank() == 0:
        return Path(path)
    return Path(tempfile.mkdtemp(prefix="copy-of-rank-0-")) / Path(path).name
