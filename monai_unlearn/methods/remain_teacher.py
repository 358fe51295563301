"""A teacher that has learnt on remain images alone says how forget images are to be predicted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.base import FORWARD_PASS, Method, MethodContext, StepSettings
from monai_unlearn.methods.depth import Depth, blank_image, check_depth, modules_within
from monai_unlearn.methods.fresh_weights import initialised_afresh
from monai_unlearn.methods.passes import frozen_copy
from monai_unlearn.methods.registry import MethodInfo, info_of, register
from monai_unlearn.methods.remain_training import distillation_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

_TEACHER = "teacher."


@register(
    MethodInfo(
        name="remain_teacher",
        paper="own: `reset` (after EU-k, arXiv 2201.06640) as the teacher of distillation (Hinton et al. 2015, "
        "arXiv 1503.02531)",
        equations="a copy reset at a depth trains on remain images for a share of the steps; then the original is "
        "distilled towards it on forget images and trained on remain images",
        needs=("forget", "remain"),
        suits=("class", "part_of_class", "device", "patients", "labels"),
        batch_norm="train mode on remain images, running statistics on forget images",
        cost="one gradient per image of each step, of remain images alone while the teacher learns; then one forward "
        "pass of the teacher per forget image",
        search_space={
            "method::depth": ("last_block", "head", 2),
            "method::share": (0.5, 0.7),
            "training::rate_factor": (1.0, 0.5),
        },
    )
)
class RemainTeacher(Method):
    """Learns from a copy of the network that was reset and has then seen remain images alone.

    For the first share s of the steps the network is the teacher: the layers within `depth` are initialised afresh, as
    `reset` does, and trained on remain images. Then it is copied, the original weights come back, and the steps that
    are left descend on

        T² · KL( softmax(f_teacher(x_forget)/T) ‖ softmax(f(x_forget)/T) ) + φ · L( f(x_remain), y )

    L is training's own loss. The teacher's steps are steps of the run, so that its cost is within the budget. The
    optimiser goes on from the teacher's moments, which fade within some steps.

    Args:
        depth: How deep the teacher is reset; see `Reset`.
        share: s, in (0, 1).
        remain_weight: φ, at least 0.
        temperature: T, above 0.

    Raises:
        ConfigError: A value is out of range.
    """

    steps = StepSettings(batch_size=8, remain_batch_size=16)

    def __init__(
        self,
        *,
        depth: Depth = "last_block",
        share: float = 0.5,
        remain_weight: float = 1.0,
        temperature: float = 1.0,
    ) -> None:
        super().__init__(batch_norm="remain")
        check_depth(depth)
        if not (0 < share < 1 and remain_weight >= 0 and temperature > 0):
            raise ConfigError(
                f"{info_of(self).name}: expected share in (0, 1), remain_weight of at least 0 and temperature above 0, "
                f"got {share}, {remain_weight} and {temperature}."
            )
        self.depth = depth
        self.share = share
        self.remain_weight = remain_weight
        self.temperature = temperature
        self._state: dict[str, Tensor] = {}
        self._teacher: nn.Module | None = None
        self._passed = 0

    def prepare(self, context: MethodContext) -> None:
        """Keep the original weights, and reset the network, which is the teacher at first.

        Raises:
            ConfigError: There are no remain images, the network has fewer blocks, or a layer cannot be initialised.
        """
        super().prepare(context)
        if context.remain is None:
            raise ConfigError(f"{info_of(self).name}: expected remain images, got none.")
        self._training_loss = context.training_loss
        self._context = replace(context, network=frozen_copy(context.network))
        # Copied now: during a step, hooks of the engine are on the network, which a copy would keep.
        self._copy = frozen_copy(context.network)
        self._passed = int(self.depth != "all")
        if self._state:
            self._teacher = self._taught()
        else:
            within = modules_within(context.network, self.depth, blank_image(context))
            context.network.load_state_dict(initialised_afresh(context.network, within, seed=context.seed))

    def taught_by(self, teacher: nn.Module, context: MethodContext) -> None:
        """Do what is done once, when the teacher has learnt; here nothing.

        Args:
            teacher: The teacher, in eval mode.
            context: The context of the run, with a frozen copy of the original as its network.
        """

    def targets_of(self, forget: Mapping[str, Any], teacher: nn.Module) -> Tensor:
        """Return the logits to distil the forget images of a batch towards: here the teacher's on the images."""
        with torch.no_grad():
            logits: Tensor = teacher(forget["image"])
        return logits

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return training's loss on remain images; once the teacher has learnt, with distillation on forget images."""
        if self._teacher is None and not self._is_learning:
            self._teacher = self._learnt()
        remain = batch["remain"]
        kept = self._training_loss(self.forward("remain", remain["image"]), remain["label"])
        if self._teacher is None or self.phase == "repair":
            return kept
        targets = self.targets_of(batch["forget"], self._teacher)
        logits = self.forward("forget", batch["forget"]["image"])
        return distillation_loss(logits, targets, temperature=self.temperature) + self.remain_weight * kept

    @property
    def _is_learning(self) -> bool:
        return self.done < self.share

    def _learnt(self) -> nn.Module:
        """Copy the network as the teacher, and give it the original weights back."""
        self._state = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self._context.network.state_dict())
        return self._taught()

    def _taught(self) -> nn.Module:
        self._copy.load_state_dict(self._state)
        # What is done once is done in full precision, whatever the steps take.
        with torch.autocast(self._context.device.type, enabled=False):
            self.taught_by(self._copy, self._context)
        return self._copy

    def state_dict(self) -> dict[str, Any]:
        """Return the teacher's weights, once it has learnt."""
        return {_TEACHER + name: value for name, value in self._state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the teacher.

        Raises:
            ConfigError: The state is another method's.
        """
        if any(not name.startswith(_TEACHER) for name in state):
            raise ConfigError(
                f"the checkpoint holds {', '.join(sorted(state))}, but {info_of(self).name} keeps its teacher. Delete "
                "the checkpoint to start from scratch."
            )
        self._state = {name.removeprefix(_TEACHER): value for name, value in state.items()}

    @property
    def parts(self) -> tuple[str, ...]:
        """Remain images alone while the teacher learns, and in the repair phase; then both parts."""
        return ("remain",) if self._teacher is None or self.phase == "repair" else ("forget", "remain")

    @property
    def taught(self) -> tuple[str, ...]:
        """The forget images, once the teacher has learnt."""
        return () if self._teacher is None or self.phase == "repair" else ("forget",)

    @property
    def forward_passes(self) -> int:
        """The one that shows in which order the layers run."""
        return self._passed

    def gradients_a_step(self, *, forget: int, remain: int) -> float:
        """Remain images in each step; forget images, and their pass through the teacher, when it has learnt."""
        return remain + (1 - self.share) * (1 + FORWARD_PASS) * forget
