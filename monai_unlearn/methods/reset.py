"""Resetting: initialise the last layers afresh, then tune all weights on remain images as in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from torch import nn

from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.methods.base import FORWARD_PASS
from monai_unlearn.methods.depth import Depth, blank_image, check_depth, is_within, modules_within
from monai_unlearn.methods.depth_choice import DepthChoice, choose_depth, most_images
from monai_unlearn.methods.fresh_weights import WHOLE, initialised_afresh
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_training import RemainTraining

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from monai_unlearn.methods.base import MethodContext

AUTO = "auto"
_BATCH_NORM = nn.modules.batchnorm._BatchNorm  # noqa: SLF001 - torch has no public base


@register(
    MethodInfo(
        name="reset",
        paper="after Goel et al. 2022, EU-k and CF-k, arXiv 2201.06640",
        equations="last layers initialised afresh, then training's own loss on remain images, all weights tuned",
        needs=("remain",),
        suits=("class", "part_of_class", "device", "patients", "labels"),
        batch_norm="train mode on remain images",
        cost="one gradient per remain image of each step; one forward pass of a single image to find the layers; with "
        "depth: auto, two passes of at most 500 forget and 1000 remain images and one of 400 never-trained ones",
        search_space={
            "method::depth": ("last_block", "head", "auto"),
            "training::rate_factor": (1.0, 0.5, 2.0),
        },
    )
)
class Reset(RemainTraining):
    """Initialises the last layers afresh and tunes all weights on remain images, as training would.

    With θ = (θ_kept, θ_last) and a fresh draw φ of the last layers' own initialisation, it starts at (θ_kept, φ) and
    descends on training's loss over remain images alone. With a depth that is given, neither the draw nor a step
    depends on a forget image: what is left of these images is what the kept layers carry, and what tuning leaves of
    that.

    Goel et al. (2022, arXiv 2201.06640) propose EU-k, which initialises the last k layers afresh and trains those on
    the remain images (`tune: last`), and CF-k, which trains the last k layers on from their trained weights (`tune:
    last, fresh: false`). Departures from both: depth counts blocks (`blocks_of`) and not layers; by default, the kept
    layers are tuned as well; learning rate, optimiser, loss and augmentation are training's own, in batches of 16,
    after a warm-up, for the share of training's cost that the run allows. With `tune: last`, BatchNorm layers that
    are kept run in eval mode, and gradients are computed, and counted, for all layers. The fresh values are those of
    each layer's `reset_parameters`, which a network's constructor may have replaced by others when it was trained. The
    statistics of fresh BatchNorm layers begin at mean 0 and variance 1.

    Args:
        depth: `head`, `last_block` (the head and the block before it), a number n (the head and the n blocks before
            it), `all`, or `auto`, which chooses among them: see `depth_choice`.
        tune: Which layers learn: `all`, or the `last`, those within the depth.
        fresh: Whether the layers within the depth are initialised afresh.
        distillation: See `RemainTraining`.
        temperature: See `RemainTraining`.

    Raises:
        ConfigError: `depth` or `tune` is none of these, nothing would change, or another value is out of range.

    >>> Reset(depth=2).depth
    2
    """

    def __init__(
        self,
        *,
        depth: Depth | Literal["auto"] = "last_block",
        tune: Literal["all", "last"] = "all",
        fresh: bool = True,
        distillation: float = 0.0,
        temperature: float = 2.0,
    ) -> None:
        super().__init__(distillation=distillation, temperature=temperature)
        check_depth(depth, also=(AUTO,))
        check_choice(tune, ("all", "last"), name="tune")
        if tune == "all" and not fresh:
            raise ConfigError("reset: with tune: all and fresh: false nothing is reset. Use the method finetune.")
        self.depth, self.tune, self.fresh = depth, tune, fresh
        self._choice: DepthChoice | None = None
        self._within: tuple[str, ...] = WHOLE
        self._passed = 0

    def start(self, context: MethodContext) -> Mapping[str, Tensor]:
        """Return the weights with the layers within the depth initialised afresh, from the seed alone.

        Raises:
            ConfigError: The network has fewer blocks, or a layer cannot be initialised.
        """
        self._passed = int(self.depth != "all")
        self._within = modules_within(context.network, self._depth(context), blank_image(context))
        if not self.fresh:
            return context.network.state_dict()
        return initialised_afresh(context.network, self._within, seed=context.seed)

    def _depth(self, context: MethodContext) -> Depth:
        if self.depth != "auto":
            return self.depth
        if self._choice is None:
            self._choice = choose_depth(context)
        return self._choice.depth

    def adjust_gradients(self) -> None:
        """Drop the gradients of layers that are not tuned, so that the optimiser leaves them alone."""
        if self.tune == "last":
            for name, weight in self.network.named_parameters():
                if not self._is_within(name):
                    weight.grad = None

    def _train_batch_norm(self, *, wanted: bool) -> None:
        super()._train_batch_norm(wanted=wanted)
        if self.tune == "last":
            for name, module in self.network.named_modules():
                if isinstance(module, _BATCH_NORM) and not self._is_within(name):
                    module.eval()

    def _is_within(self, name: str) -> bool:
        return is_within(name, self._within)

    @property
    def record(self) -> dict[str, Any]:
        """With `depth: auto`, the depth chosen and the evidence for it."""
        return self._choice.to_dict() if self._choice else {}

    @property
    def decided(self) -> str:
        """With `depth: auto`, the depth chosen and why."""
        return f"Depth auto chose {self._choice.depth}: {self._choice.why}" if self._choice else ""

    @property
    def forward_passes(self) -> int:
        """The one that shows in which order the layers run, and those of images whose features were compared."""
        return self._passed + (self._choice.images if self._choice else 0)

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """Return the most that choosing a depth passes through the network; no gradient is taken."""
        return FORWARD_PASS * most_images(forget, remain) if self.depth == "auto" else 0

    def state_dict(self) -> dict[str, Any]:
        """Return the choice of a depth, where there is one."""
        return {"choice": self._choice.to_dict()} if self._choice else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ConfigError: The state is another method's.
        """
        if self.depth != "auto" or set(state) - {"choice"}:
            super().load_state_dict(state)
        elif state:
            self._choice = DepthChoice.from_dict(state["choice"])
