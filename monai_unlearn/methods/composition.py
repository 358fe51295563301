"""Composition: put two networks that were revised from the same original together into one, without a step."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.depth import DEPTHS, Depth, blank_image, check_depth, modules_within
from monai_unlearn.methods.logit_ensemble import LogitEnsemble
from monai_unlearn.methods.one_shot import OneShot
from monai_unlearn.methods.passes import unchanged
from monai_unlearn.methods.registry import SUITS, MethodInfo, register
from monai_unlearn.vocabulary.composing import AUTO, By, check_composition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    from monai_unlearn.methods.base import Judge, MethodContext

    State = Mapping[str, Tensor]

# The coefficients that are tried: 0, 0.1, …, 1.
GRID = tuple(tenth / 10 for tenth in range(11))
PARENTS = 2
_CLASSIFIERS = tuple(word for word in DEPTHS if word != "all")
_WORDS = {
    "linear": "the weights are (1 − w)·A + w·B",
    "task_vectors": "the weights are original + w·((A − original) + (B − original))",
    "ensemble": "both networks, whose logits are averaged to (1 − w)·A + w·B",
}


@register(
    MethodInfo(
        name="composition",
        paper="Splice: the code published with arXiv 2505.21872, dropped by its journal version. Linear: Wortsman et "
        "al. 2022, Model soups, arXiv 2203.05482. Task vectors: Ilharco et al. 2023, Editing Models with Task "
        "Arithmetic, arXiv 2212.04089",
        equations="splice: features of A, classifier of B; linear: (1 − w)·A + w·B; task_vectors: θ + w·((A − θ) + "
        "(B − θ)) with the original θ; ensemble: logits (1 − w)·A(x) + w·B(x); of two networks revised from the same "
        "original (`monai-unlearn compose`)",
        needs=("remain", "validation", "parents"),
        suits=SUITS,
        batch_norm="recalibrated for each coefficient that is tried, and at the end, if the run says so",
        cost="what both revisions cost, and validation images passed through the network for each of 11 coefficients; "
        "no step",
    )
)
class Composition(OneShot):
    """Puts two networks together: features of one with the classifier of the other, or a point between both.

    `splice` takes the last modules in the order in which the network runs from B, and everything before them from A.
    `linear` gives θ = (1 − w)·A + w·B. `task_vectors` gives θ = θ₀ + w·((A − θ₀) + (B − θ₀)) with the original θ₀:
    the sum of both task vectors, scaled. Statistics of BatchNorm are spliced with their modules, and averaged in the
    same way as weights by `linear`; with task vectors, whose sums need not be statistics of anything, they are the mean
    of A's and B's. They fit only after they are recalibrated. `ensemble` keeps both networks, as one `LogitEnsemble`.

    The result holds whatever A's features or B's classifier still hold of the forgotten images: composing forgets
    nothing.

    Args:
        by: `splice`, `linear`, `task_vectors` or `ensemble`.
        classifier: Of a splice, which modules are the classifier: a depth, as `reset` takes it, but not `all`.
        weight: The coefficient w in [0, 1]; `auto` for the one of 0, 0.1, …, 1 that is best on validation images. Of a
            splice, only `auto`, which chooses nothing.

    Raises:
        ConfigError: A value is out of range.
    """

    needs_forget: ClassVar[bool] = False

    def __init__(self, *, by: By = "splice", classifier: Depth = "head", weight: float | str = AUTO) -> None:
        super().__init__(batch_norm="frozen")
        check_composition(by=by, classifier=classifier, weight=weight)
        check_depth(classifier, name="classifier", known=_CLASSIFIERS)
        self.by, self.classifier, self.weight = by, classifier, weight
        self._record: dict[str, Any] = {}
        self._passes = 0

    def edit(self, context: MethodContext) -> None:
        """Give the network the composed weights.

        Raises:
            ConfigError: There are not two parents, or the coefficient cannot be chosen.
        """
        if len(context.parents) != PARENTS:
            raise ConfigError(
                f"composition: expected two revisions to compose, got {len(context.parents)}. Use `monai-unlearn "
                "compose --a DIR --b DIR --out DIR`."
            )
        network, (a, b) = context.network, context.parents
        if self.by == "splice":
            with unchanged(network):
                names = modules_within(
                    network, self.classifier, blank_image(context), name="classifier", known=_CLASSIFIERS
                )
            network.load_state_dict(spliced(a, b, names))
            self._record = {"by": self.by, "classifier": list(names)}
            return
        candidate = self._ensemble(context) if self.by == "ensemble" else self._mixture(context)
        chosen = self._chosen(context, candidate) if self.weight == AUTO else float(self.weight)
        candidate(chosen)
        self._record = {"by": self.by, "weight": chosen, **self._record}

    def _mixture(self, context: MethodContext) -> Callable[[float], nn.Module]:
        """Return what gives the network the weights for a coefficient, and returns it."""
        network, (a, b) = context.network, context.parents
        original = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}

        def candidate(weight: float) -> nn.Module:
            is_linear = self.by == "linear"
            state = interpolated(a, b, weight) if is_linear else by_task_vectors(original, a, b, weight)
            network.load_state_dict(state)
            return network

        return candidate

    def _ensemble(self, context: MethodContext) -> Callable[[float], nn.Module]:
        """Put an ensemble in place of the network; return what gives it a coefficient, and returns it."""
        networks = [copy.deepcopy(context.network) for _ in context.parents]
        for network, state in zip(networks, context.parents, strict=True):
            network.load_state_dict(state)
        ensemble = LogitEnsemble(networks).to(context.device)
        self.replacement = ensemble

        def candidate(weight: float) -> nn.Module:
            ensemble.weight.fill_(weight)
            return ensemble

        return candidate

    def _chosen(self, context: MethodContext, candidate: Callable[[float], nn.Module]) -> float:
        """Return the coefficient that the main process finds best; all processes get the same."""
        found = 0.0
        if context.rank == 0:
            tried = _tried(candidate, context.judge)
            # Of equals, the smaller one.
            found = min(tried, key=tried.__getitem__)
            self._record = {
                "criterion": context.judge.formula if context.judge else "",
                "tried": [{"weight": weight, "objective": value} for weight, value in tried.items()],
            }
            self._passes = context.judge.images_passed if context.judge else 0
        total = context.all_reduce_sum(torch.tensor(found, dtype=torch.float64, device=context.device))
        return round(float(total), 6)

    @property
    def forward_passes(self) -> int:
        """Validation images, and remain images to recalibrate with, for each coefficient that was tried."""
        return self._passes

    @property
    def record(self) -> dict[str, Any]:
        """How the weights were composed, and of a coefficient that was chosen, by what."""
        return self._record

    @property
    def decided(self) -> str:
        """The same in a sentence."""
        if not self._record:
            return ""
        start = "A composition of two networks, A and B: "
        if self.by == "splice":
            return f"{start}features of A, and of B the classifier ({', '.join(self._record['classifier'])})"
        how = (
            f"the best of {GRID[0]:g}, {GRID[1]:g}, …, {GRID[-1]:g} on validation images by {self._record['criterion']}"
            if self.weight == AUTO
            else "given by the user"
        )
        return f"{start}{_WORDS[self.by]}, w = {self._record['weight']:g}, {how}"


def spliced(a: State, b: State, classifier: Sequence[str]) -> dict[str, Tensor]:
    """Return B's values of some modules, and A's of all others.

    Args:
        a: A state dict.
        b: One of the same network.
        classifier: The names of the modules, with all that they hold.
    """
    prefixes = tuple(f"{name}." for name in classifier)
    return {name: (b if name.startswith(prefixes) else a)[name] for name in a}


def interpolated(a: State, b: State, weight: float) -> dict[str, Tensor]:
    """Return (1 − weight)·a + weight·b; counters are those of a.

    Args:
        a: A state dict.
        b: One of the same network.
        weight: In [0, 1].
    """
    return {
        name: torch.lerp(value, b[name].to(value), weight) if value.is_floating_point() else value
        for name, value in a.items()
    }


def by_task_vectors(original: State, a: State, b: State, weight: float) -> dict[str, Tensor]:
    """Return original + weight·((a − original) + (b − original)); BatchNorm's statistics are the mean of a's and b's.

    Args:
        original: The state dict that both were revised from.
        a: A state dict.
        b: One of the same network.
        weight: In [0, 1].
    """
    mean = interpolated(a, b, 0.5)
    return {
        name: start + weight * ((a[name].to(start) - start) + (b[name].to(start) - start))
        if start.is_floating_point() and not _is_statistic(name)
        else mean[name]
        for name, start in original.items()
    }


def _is_statistic(name: str) -> bool:
    return name.rpartition(".")[2] in {"running_mean", "running_var"}


def _tried(candidate: Callable[[float], nn.Module], judge: Judge | None) -> dict[float, float]:
    """Return what the judge says of each coefficient; smaller is better."""
    if judge is None:
        raise ConfigError(
            "weight: no retrained network is there to choose the coefficient by, and without one it is unknown how "
            "this cohort should be classified. Give --reference retrain, or a coefficient: --weight 0.5."
        )
    return {weight: judge(candidate(weight)) for weight in GRID}
