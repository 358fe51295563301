"""Two networks as one module, which gives the weighted mean of their logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

TWO = 2


class LogitEnsemble(nn.Module):
    """Gives (1 − w)·a(x) + w·b(x) for two networks a and b; w is part of the state dict.

    A bundle names it as its `network_def`, with a `network_def` for each of the two:

    ```yaml
    network_def:
      _target_: monai_unlearn.methods.LogitEnsemble
      networks:
        - {_target_: ResNet, …}
        - {_target_: ResNet, …}
    ```

    Args:
        networks: The two networks; each returns one tensor of logits.
        weight: w, in [0, 1].

    Raises:
        ConfigError: There are not two networks, or the weight is out of range.

    >>> a, b = (nn.Linear(1, 2) for _ in range(2))
    >>> _ = [nn.init.constant_(one.bias, value) for one, value in ((a, 1.0), (b, 3.0))]
    >>> LogitEnsemble([a, b], weight=0.25)(torch.zeros(1, 1)).tolist()
    [[1.5, 1.5]]
    """

    def __init__(self, networks: Sequence[nn.Module], weight: float = 0.5) -> None:
        super().__init__()
        if len(networks) != TWO:
            raise ConfigError(f"LogitEnsemble: expected two networks, got {len(networks)}.")
        if not 0 <= weight <= 1:
            raise ConfigError(f"LogitEnsemble: expected a weight in [0, 1], got {weight}.")
        self.networks = nn.ModuleList(networks)
        # Not an annotation of the class, which TorchScript would evaluate.
        self.weight: Tensor
        self.register_buffer("weight", torch.tensor(float(weight)))

    def forward(self, images: Tensor) -> Tensor:
        """Return the mean of the logits, shape (batch, class), of images, shape (batch, channel, *spatial)."""
        a: Tensor = self.networks[0](images)
        b: Tensor = self.networks[1](images)
        return (1 - self.weight) * a + self.weight * b


def networks_in(network: nn.Module) -> tuple[nn.Module, ...]:
    """Return the two networks of an ensemble, or the network itself."""
    return tuple(network.networks) if isinstance(network, LogitEnsemble) else (network,)
