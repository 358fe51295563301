"""Convolution transpose: swap the spatial axes of every kernel, then train on remain images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import RemainTraining

if TYPE_CHECKING:
    from torch import Tensor

    from monai_unlearn.methods.base import MethodContext

_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@register(
    MethodInfo(
        name="conv_transpose",
        paper="CT of a NeurIPS 2023 challenge entry, as compared by Cadet et al. 2024, DeepUnlearn, arXiv 2410.01276",
        equations="W[o, i, h, w] becomes W[o, i, w, h] in every convolution; then training's own loss on remain images",
        needs=("remain",),
        suits=("class", "part_of_class", "device", "patients", "labels"),
        batch_norm="train mode on remain images",
        cost="one gradient per remain image of each step",
        search_space={"method::distillation": (0.0, 0.5), "training::rate_factor": (1.0, 0.5, 2.0)},
    )
)
class ConvTranspose(RemainTraining):
    """Transposes every convolution kernel in its plane and trains on remain images.

    The last two axes of each kernel are swapped, W[…, h, w] ← W[…, w, h], which keeps all values but not what they
    detect; layers without a plane, and kernels that are symmetric, stay. Departures: rate, optimiser, batch and
    augmentation are training's own, and the run is as long as its budget, not three passes at 1e-3.
    """

    def start(self, context: MethodContext) -> dict[str, Tensor]:
        """Return the weights with transposed kernels.

        Raises:
            ConfigError: No convolution has a kernel that is square in its plane and larger than a pixel.
        """
        state = dict(context.network.state_dict())
        turned = 0
        for name, module in context.network.named_modules():
            if isinstance(module, _CONVOLUTIONS) and module.weight.shape[-1] == module.weight.shape[-2] > 1:
                state[f"{name}.weight" if name else "weight"] = module.weight.detach().transpose(-1, -2).contiguous()
                turned += 1
        if not turned:
            raise ConfigError(
                "conv_transpose: the network has no convolution with a square kernel larger than one pixel, so that "
                "nothing can be transposed. Choose another method, such as reset."
            )
        return state
