"""Shrink and perturb: mix all weights with fresh ones, then train on remain images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.fresh_weights import initialised_afresh
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import RemainTraining

if TYPE_CHECKING:
    from torch import Tensor

    from monai_unlearn.methods.base import MethodContext

_BATCH_NORM = nn.modules.batchnorm._BatchNorm  # noqa: SLF001 - torch has no public base


@register(
    MethodInfo(
        name="shrink_perturb",
        paper="Ash and Adams 2020, On Warm-Starting Neural Network Training, NeurIPS, arXiv 1910.08475",
        equations="θ ← a·θ + (1 − a)·fresh in every weight but BatchNorm's; then training's own loss on remain images",
        needs=("remain",),
        suits=("class", "part_of_class", "device", "patients", "labels"),
        batch_norm="train mode on remain images; its weights and statistics begin as the original's",
        cost="one gradient per remain image of each step, and a forward pass of the original with distillation",
        search_space={
            "method::kept": (0.6, 0.4),
            "method::distillation": (0.0, 0.5),
            "training::rate_factor": (1.0, 0.5, 2.0),
        },
    )
)
class ShrinkPerturb(RemainTraining):
    """Shrinks every weight towards a fresh one and trains on remain images.

    With a fresh draw φ of each layer's own initialisation, training sets out from

        θ ← a · θ + (1 − a) · φ

    in every parameter but those of BatchNorm layers, whose statistics stay as well. Ash and Adams add noise of a
    chosen scale to a · θ, to train on with more data; the fresh initialisation has the scale of each layer. All layers
    lose a share of what they learnt of any image, whereas `reset` takes all from some. Further departures: BatchNorm is
    left alone; rate, optimiser, batch and augmentation are training's own.

    Args:
        kept: a, in [0, 1]: the share of the original's weights.
        distillation: See `RemainTraining`.
        temperature: See `RemainTraining`.

    Raises:
        ConfigError: A value is out of range.
    """

    def __init__(self, *, kept: float = 0.6, distillation: float = 0.0, temperature: float = 2.0) -> None:
        super().__init__(distillation=distillation, temperature=temperature)
        if not 0 <= kept <= 1:
            raise ConfigError(f"shrink_perturb: expected kept in [0, 1], got {kept}.")
        self.kept = kept

    def start(self, context: MethodContext) -> dict[str, Tensor]:
        """Return the mixed weights.

        Raises:
            ConfigError: A layer cannot be initialised.
        """
        state = dict(context.network.state_dict())
        fresh = initialised_afresh(context.network, seed=context.seed)
        of_batch_norm = {name for name, module in context.network.named_modules() if isinstance(module, _BATCH_NORM)}
        for name, value in context.network.named_parameters(remove_duplicate=False):
            if name.rpartition(".")[0] not in of_batch_norm:
                state[name] = self.kept * value.detach() + (1 - self.kept) * fresh[name].to(value.device)
        return state
