"""What a predictor is: one frozen record of which cohorts it is for, what it is held against, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from monai_unlearn.evaluation.decision.target import MIN_PROXIES, Kind, PredictedTarget

if TYPE_CHECKING:
    from collections.abc import Sequence


Change = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
"""Returns another `network_def`, from the bundle's and the parameters of its constructor with their defaults."""


@dataclass(frozen=True, kw_only=True)
class CohortShape:
    """What a predictor must know of a cohort to say whether it is for it.

    Attributes:
        reason: The reason of its spec.
        forget: The forget part's training images by class; a class without any is left out.
        remain: The remain part's.
        is_sample: Whether patients were drawn at random from all that the rule matches.
        class_balance: How far training's loss weighted rare classes up: n images of a class weigh as n^(1 − this).
    """

    reason: str
    forget: Mapping[str, int]
    remain: Mapping[str, int]
    is_sample: bool = False
    class_balance: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A network that stands in for a retrained one.

    Attributes:
        name: Its name in the table of predictions.
        predictor: The predictor that it is of.
        network: The network, on the device of the run.
        seed: The seed that it was trained under; None if it was not trained.
        gradient_evaluations: What it cost, in gradients of single images of the original network.
        seconds: The same in seconds.
    """

    name: str
    predictor: str
    network: Any = field(repr=False)
    seed: int | None = None
    gradient_evaluations: float = 0.0
    seconds: float = 0.0


class Workshop(Protocol):
    """What the engine does for a predictor."""

    def shifted(self, name: str, by: Mapping[str, float]) -> Proxy:
        """Return the original with its logits moved by so much per class."""

    def trained(self, name: str, change: Change, *, seeds: int) -> list[Proxy]:
        """Train a changed network on the remain part from scratch, under so many seeds.

        Args:
            name: Names the proxies.
            change: Changes the network.
            seeds: How many proxies to train.
        """

    def tuned(self, name: str, *, blocks: int, seeds: int) -> list[Proxy]:
        """Retrain the head and the blocks before it on cached features of the original, under so many seeds."""


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """A way to say what a network retrained without a cohort would score, without retraining one.

    Attributes:
        name: Its name, as `--predictor` takes it.
        description: One sentence on what it is.
        reasons: The reasons of specs that it is for.
        kind: What a run is held against.
        refuses: Returns why it is not for a cohort of its reasons, as a sentence, or None.
        make: Returns its proxies, of those that are trained so many as it is told.
        proxies: How many it makes: at least three of those that are trained, 1 of a fixed network, 0 if it needs none.
        counterparts: The parts whose never-trained images stand for the forget training images; empty if none do.
        margin: Its margin where none is declared; None if endpoints declare it.
        is_measured: Whether its error must have been measured in a rehearsal before it may decide. What carries its own
            measurement need not.

    Raises:
        ValueError: The name is not an identifier, or there is no reason.
    """

    name: str
    description: str
    reasons: tuple[str, ...]
    kind: Kind
    refuses: Callable[[CohortShape], str | None]
    make: Callable[[Workshop, CohortShape, int], Sequence[Proxy]]
    proxies: int = MIN_PROXIES
    counterparts: Callable[[CohortShape], tuple[str, ...]] = lambda _shape: ()
    margin: float | None = None
    is_measured: bool = True

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or not self.reasons:
            raise ValueError(f"A predictor has an identifier as its name and a reason, not '{self.name}'.")

    def refusal(self, shape: CohortShape) -> str | None:
        """Return why it may not be used for a cohort, as a sentence, or None."""
        if shape.reason not in self.reasons:
            return (
                f"{self.name} is for the reasons {', '.join(self.reasons)}, and the spec's is {shape.reason}: networks "
                "retrained without such a cohort do not behave as it predicts."
            )
        return self.refuses(shape)

    def target(
        self,
        shape: CohortShape,
        *,
        margin: float | None = None,
        proxies: int | None = None,
        cohorts: int = 0,
        errors: Mapping[tuple[str, str], float] | None = None,
    ) -> PredictedTarget:
        """Return the target that it stands for.

        Args:
            shape: The cohort.
            margin: The declared margin, if it has one of its own.
            proxies: How many proxies are trained, if any are.
            cohorts: On how many rehearsal cohorts its errors were measured.
            errors: These, by subset and class.
        """
        return PredictedTarget(
            name=self.name,
            kind=self.kind,
            proxies=proxies if proxies is not None and self.proxies >= MIN_PROXIES else self.proxies,
            counterparts=self.counterparts(shape),
            margin=self.margin if margin is None else margin,
            cohorts=cohorts,
            errors=errors or {},
        )
