"""PSG whose boundary points are labelled by a network that has learnt on remain images alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from monai_unlearn.methods.boundary import BoundarySearch
from monai_unlearn.methods.label_search import LabelSearch
from monai_unlearn.methods.registry import MethodInfo, register
from monai_unlearn.methods.remain_teacher import RemainTeacher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from monai_unlearn.methods.base import MethodContext
    from monai_unlearn.methods.depth import Depth

_SEARCH = "search."


@register(
    MethodInfo(
        name="psg_remain",
        paper="Nahass et al. 2025, Targeted Unlearning Using Perturbed Sign Gradient Methods, arXiv 2505.21872, "
        "with a labeller of our own",
        equations="Algorithms 1 and 3, where a reset copy trained on remain images labels the boundary points",
        needs=("forget", "remain"),
        suits=("class",),
        batch_norm="train mode on remain images, running statistics on forget images",
        cost="as remain_teacher, and T gradients and the bisections of each forget image, once",
        search_space={
            "method::depth": ("last_block", "head"),
            "method::share": (0.5, 0.7),
            "training::rate_factor": (1.0, 0.5),
        },
        boundary_targets=True,
    )
)
class PSGRemain(RemainTeacher):
    """PSG with another labeller (arXiv 2505.21872, Algorithms 1 and 3).

    Algorithm 3 leaves open whose logits are the targets at the points found. The deployed network's are those of the
    class across its nearest boundary, which it learnt beside the images to forget. Here a copy that was reset and
    trained on remain images labels the points; see `RemainTeacher` for how it learns and for the loss. Points are
    searched on the original network.

    Args:
        epsilon: ε of the search; see `BoundarySearch`.
        search_steps: T of the search.
        bisection_steps: Bisections of the line to the point.
        depth: See `RemainTeacher`.
        share: See `RemainTeacher`.
        remain_weight: φ; see `RemainTeacher`.
        temperature: See `RemainTeacher`.

    Raises:
        ConfigError: A value is out of range.
    """

    # The search waits for its labeller.
    prepares_later: ClassVar[bool] = True

    def __init__(
        self,
        *,
        epsilon: float = 0.1,
        search_steps: int = 1,
        bisection_steps: int = 8,
        depth: Depth = "last_block",
        share: float = 0.5,
        remain_weight: float = 1.0,
        temperature: float = 1.0,
    ) -> None:
        super().__init__(depth=depth, share=share, remain_weight=remain_weight, temperature=temperature)
        self.epsilon = epsilon
        self.search_steps = search_steps
        self.bisection_steps = bisection_steps
        search = BoundarySearch(epsilon=epsilon, steps=search_steps, bisection_steps=bisection_steps)
        self.finder = LabelSearch(search, float32=True)

    def taught_by(self, teacher: nn.Module, context: MethodContext) -> None:
        """Search boundary points of the original, and let the teacher label them."""
        self.finder.run(context, labeller=teacher)

    def targets_of(self, forget: Mapping[str, Any], teacher: nn.Module) -> Tensor:  # noqa: ARG002 - it has labelled all
        """Return the teacher's logits at the points of the batch's images."""
        return self.finder.logits[forget["row"]]

    def state_dict(self) -> dict[str, Any]:
        """Return the teacher and what the search found, once the teacher has learnt."""
        found = {_SEARCH + name: value for name, value in self.finder.state_dict().items()}
        return {**super().state_dict(), **found}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the teacher and what the search found.

        Raises:
            ConfigError: The state is another method's.
        """
        found = {name: value for name, value in state.items() if name.startswith(_SEARCH)}
        super().load_state_dict({name: value for name, value in state.items() if name not in found})
        self.finder.load_state_dict({name.removeprefix(_SEARCH): value for name, value in found.items()})

    @property
    def taught(self) -> tuple[str, ...]:
        """None: the teacher has labelled the points once."""
        return ()

    @property
    def gradient_evaluations(self) -> int:
        """T for each forget image, once the teacher has learnt."""
        return self.finder.gradients

    @property
    def forward_passes(self) -> int:
        """Bisections and the label of each forget image, and the one that shows the order of layers."""
        return super().forward_passes + self.finder.forwards

    def gradients_to_prepare(self, *, forget: int, remain: int, validation: int = 0) -> float:  # noqa: ARG002 - not all count
        """The search, which runs when the teacher has learnt."""
        return self.finder.planned(forget)

    def gradients_a_step(self, *, forget: int, remain: int) -> float:
        """Remain images in each step, forget images once the teacher has learnt."""
        return remain + (1 - self.share) * forget
