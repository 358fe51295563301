"""Shrink and perturb: mix all weights with fresh ones, then train on remain images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.depth import blank_image, check_depth, is_within, modules_within
from monai_unlearn.methods.fresh_weights import initialised_afresh, not_initialised, without_initialiser
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import RemainTraining

if TYPE_CHECKING:
    from torch import Tensor

    from monai_unlearn.methods.base import MethodContext
    from monai_unlearn.methods.depth import Depth

AUTO = "auto"
# Multiples of training's rate, and the share of retraining's gradients from which all of it is taken.
_LEAST, _MOST, _WHOLE_FROM = 0.5, 1.0, 0.2
_BATCH_NORM = nn.modules.batchnorm._BatchNorm  # noqa: SLF001 - torch has no public base


@register(
    MethodInfo(
        name="shrink_perturb",
        paper="Ash and Adams 2020, On Warm-Starting Neural Network Training, NeurIPS, arXiv 1910.08475",
        equations="θ ← a·θ + (1 − a)·fresh in every weight but BatchNorm's, with `depth` a = 0 in the last layers; "
        "then training's own loss on remain images",
        needs=("remain",),
        suits=("class", "part_of_class", "device", "patients", "labels"),
        batch_norm="train mode on remain images; weights and statistics begin as the original's, but within `depth`",
        cost="one gradient per remain image of each step, a forward pass of the original with distillation, and with "
        "`depth` one of a single image to find the layers",
        search_space={
            "method::kept": (0.5, 0.4, 0.6),
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
    lose a share of what they learnt of any image, whereas `reset` takes all from some; with `depth` it does both: the
    layers within the depth, their BatchNorm included, begin at φ, as those of `reset`. Further departures: BatchNorm is
    otherwise left alone, and so are weights that no layer can initialise, such as a transformer's embedding of places;
    optimiser, batch and augmentation are training's own, and so is the rate unless `rate` says otherwise.

    Args:
        kept: a, in [0, 1]: the share of the original's weights.
        depth: The last layers that keep nothing: `head`, `last_block`, `all` or a number, as of `reset`; None for none.
        rate: The peak rate, as a multiple of training's own, above 0; `training::rate_factor` multiplies it further.
            `auto` sets it by the budget, see `rate_of`.
        distillation: See `RemainTraining`.
        temperature: See `RemainTraining`.

    Raises:
        ConfigError: A value is out of range, or `depth` is none of these.

    >>> ShrinkPerturb(kept=0.8, depth="head").kept
    0.8
    """

    def __init__(
        self,
        *,
        kept: float = 0.5,
        depth: Depth | None = None,
        rate: float | Literal["auto"] = 1.0,
        distillation: float = 0.0,
        temperature: float = 2.0,
    ) -> None:
        super().__init__(distillation=distillation, temperature=temperature)
        if not 0 <= kept <= 1:
            raise ConfigError(f"shrink_perturb: expected kept in [0, 1], got {kept}.")
        if rate != AUTO and (isinstance(rate, str) or not rate > 0):
            raise ConfigError(f"shrink_perturb: expected a rate above 0, or {AUTO}, got {rate}.")
        if depth is not None:
            check_depth(depth)
        self.kept, self.depth, self.rate = kept, depth, rate
        self.steps = replace(self.steps, learning_rate=rate_of(None) if isinstance(rate, str) else rate)
        self._left: list[str] = []

    def peak_rate(self, share: float | None) -> float:
        """Return the rate that was given, or the one for the budget."""
        return rate_of(share) if self.rate == AUTO else super().peak_rate(share)

    def start(self, context: MethodContext) -> dict[str, Tensor]:
        """Return the mixed weights.

        Raises:
            ConfigError: No layer can be initialised, or not one within the depth, or the network has fewer blocks.
        """
        network = context.network
        state = dict(network.state_dict())
        fresh = initialised_afresh(network, seed=context.seed, strict=False)
        within = () if self.depth is None else modules_within(network, self.depth, blank_image(context))
        self._left = without_initialiser(network)
        for name in self._left:
            if is_within(name, within):
                raise not_initialised(name, network.get_submodule(name))
        left = {name for name, module in network.named_modules() if isinstance(module, _BATCH_NORM)} | {*self._left}
        mixed = [name for name, _ in network.named_parameters(remove_duplicate=False) if _layer(name) not in left]
        if not mixed:
            raise ConfigError(
                "shrink_perturb: no layer of the network can be initialised afresh, since none has a method "
                "`reset_parameters`. Give its classes that method, or use one that needs none: --method finetune."
            )
        for name in mixed:
            state[name] = self.kept * state[name] + (1 - self.kept) * fresh[name].to(state[name].device)
        return {name: fresh[name] if is_within(name, within) else value for name, value in state.items()}

    @property
    def forward_passes(self) -> int:
        """The one that shows in which order the layers run."""
        return int(self.depth not in (None, "all"))

    @property
    def record(self) -> dict[str, Any]:
        """The layers that stay as they were, where there are any: nothing says how to initialise them."""
        return {"left_alone": self._left} if self._left else {}


def rate_of(share: float | None) -> float:
    """Return which multiple of training's rate suits a budget.

    In a short run, the whole rate leaves no time to bring back what it and the mixing took from the rest; in a longer
    one, half of it leaves too much of the old solution (docs/methods/comparison.md has what was measured).

    Args:
        share: The share of retraining's gradients that the run takes; None if it is not known.

    >>> [rate_of(share) for share in (None, 0.05, 0.1, 0.15, 0.2, 0.5)]
    [0.5, 0.5, 0.5, 0.75, 1.0, 1.0]
    """
    return _LEAST if share is None else min(_MOST, max(_LEAST, round(share / _WHOLE_FROM, 6)))


def _layer(name: str) -> str:
    return name.rpartition(".")[0]
