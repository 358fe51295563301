"""What each block of a network gives for an image: its features, as means over space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.data import Subset

from monai_unlearn.methods.depth import blocks_of
from monai_unlearn.methods.passes import batches_of, unchanged

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    from torch import nn
    from torch.utils.data import Dataset

    Array = npt.NDArray[np.float64]
    Labels = npt.NDArray[np.int64]

# Outputs of convolutions have an image, a channel and at least two dimensions of space.
_TOKENS, _SPACE = 3, 4


@dataclass(frozen=True, kw_only=True)
class BlockFeatures:
    """Features of some images.

    Attributes:
        blocks: Of each block before the head, the first block first, shape (image, feature).
        labels: The classes, shape (image,).
    """

    blocks: tuple[Array, ...]
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


def block_features(
    network: nn.Module, images: Dataset[Any], rows: Sequence[int], *, device: torch.device
) -> BlockFeatures:
    """Pass images through a network once, in eval mode, and return what its blocks give.

    Of each channel of a block's output: its mean over space. Tokens are averaged as well.

    Args:
        network: The network; its modes are restored.
        images: Items with `image` and `label`.
        rows: Which of them.
        device: Where the network is.
    """
    blocks = blocks_of(network, torch.as_tensor(images[0]["image"]).to(device))[:-1]
    found: list[list[Tensor]] = [[] for _ in blocks]

    def keeps(place: int) -> Any:  # noqa: ANN401 - torch's type of a hook is no public name
        return lambda _module, _inputs, output: found[place].append(_pooled(output))

    hooks = [
        network.get_submodule(block.names[-1]).register_forward_hook(keeps(place)) for place, block in enumerate(blocks)
    ]
    labels = []
    try:
        with unchanged(network), torch.no_grad():
            for inputs, classes in batches_of(Subset(images, rows), device):
                network(inputs)
                labels.append(classes.cpu())
    finally:
        for hook in hooks:
            hook.remove()
    features = tuple(torch.cat(values).double().numpy() for values in found)
    return BlockFeatures(blocks=features, labels=torch.cat(labels).numpy())


def _pooled(output: Any) -> Tensor:  # noqa: ANN401 - some blocks return several tensors
    values: Tensor = output[0] if isinstance(output, (tuple, list)) else output
    if values.ndim >= _SPACE:
        values = values.flatten(2).mean(2)
    elif values.ndim == _TOKENS:
        values = values.mean(1)
    return values.detach().float().cpu()
