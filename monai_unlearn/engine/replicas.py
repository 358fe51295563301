"""What a bundle's `multi_gpu.yaml` needs so that several processes train one network and one of them writes it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


class Replicated(DistributedDataParallel):
    """A network of which every process has a copy and whose gradients are averaged.

    Its state dict is that of the network itself: what trains on several devices is loaded on one.
    """

    def state_dict(self, *arguments: Any, **options: Any) -> dict[str, Any]:  # type: ignore[override]  # noqa: ANN401 - torch's overloads
        """Return the state dict of the network within."""
        state: dict[str, Any] = self.module.state_dict(*arguments, **options)
        return state


def replicated(network: nn.Module, device: str | torch.device) -> Replicated:
    """Return a network, on its device, as one of several copies."""
    on_cuda = torch.device(device).type == "cuda"
    return Replicated(network, device_ids=[torch.device(device)] if on_cuda else None)


def written_once(path: str | Path) -> Path:
    """Return the path in the first process, and in the others one that nobody reads."""
    if distributed.get_rank() == 0:
        return Path(path)
    return Path(tempfile.mkdtemp(prefix="copy-of-rank-0-")) / Path(path).name
