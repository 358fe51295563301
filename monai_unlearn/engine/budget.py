"""What a run may cost, as a share of retraining, and how many steps that leaves."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Evaluations in a run that goes as planned, beside those after its first steps.
EVALUATIONS = 30


def longest_gap(eval_interval: int | None, steps: int) -> int:
    """Return the largest number of steps between two evaluations of a run of so many steps."""
    return eval_interval or max(1, steps // EVALUATIONS)


def evaluation_steps(steps: int, longest: int) -> list[int]:
    """Return the steps of a run without pauses after which the network is evaluated.

    Args:
        steps: Steps of the run.
        longest: Largest number of steps between two evaluations.

    >>> evaluation_steps(30, longest=8)
    [1, 3, 7, 15, 23]
    """
    found, step, gap = [], 1, 1
    while step <= steps:
        found.append(step)
        gap = min(2 * gap, longest)
        step += gap
    return found


def retraining_cost(record: Mapping[str, Any], *, remain: int) -> float | None:
    """Return what retraining costs, in gradient evaluations; None where the training record does not say.

    It is the cost of the original training, scaled to the images that remain.

    Args:
        record: The training record of the original weights; empty where there is none.
        remain: Remain training images.
    """
    gradients, images = record.get("gradient_evaluations"), record.get("images")
    return gradients * remain / images if isinstance(gradients, int) and images else None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A share of retraining that a run spends, to one step. All costs are in gradient evaluations.

    A forward pass of an image counts as a third. Where evaluations are more than planned, since forgetting resumed
    after a pause, steps are fewer; where steps cost less, since classes are paused, they are more, at most twice as
    many.

    Args:
        share: The share, in (0, 1].
        retraining: What retraining costs.
        preparation: The most that preparing the method costs.
        fixed: What the rest costs that no step changes: measuring the references, recalibration.
        step: What a step costs on average; 0 for a method that takes none.
        evaluation: What an evaluation costs; 0 where there is none.
        eval_interval: Largest number of steps between two evaluations, if it is set.

    Raises:
        ConfigError: The share is not in (0, 1], or allows no step; the message says the smallest that does.
    """

    share: float
    retraining: float
    preparation: float
    fixed: float
    step: float
    evaluation: float = 0.0
    eval_interval: int | None = None

    def __post_init__(self) -> None:
        check_share(self.share)
        if self._left(spent=0, prepared=None) < self.step:
            least = self.preparation + self.fixed + self.step
            possible = least <= self.retraining
            remedies = [f"--budget {_rounded_up(least / self.retraining)} or more"] if possible else []
            remedies += ["the number of steps: --steps N" if self.step else "another method: --method NAME"]
            raise ConfigError(
                f"budget: {self.share} of retraining is {self.limit:,.0f} of {self.retraining:,.0f} gradient "
                f"evaluations, and the smallest run costs {least:,.0f}: {self.preparation:,.0f} to prepare the method, "
                f"{self.fixed:,.0f} for references and recalibration, {self.step:,.0f} for a step. Give "
                f"{', or '.join(remedies)}"
            )

    @property
    def limit(self) -> float:
        """What the run may cost."""
        return self.share * self.retraining

    @functools.cached_property
    def interval(self) -> int:
        """Largest number of steps between two evaluations."""
        steps = int(self._left(spent=0, prepared=None) / self.step)
        for _ in range(EVALUATIONS):  # fewer steps may mean more evaluations; any number is paid for
            interval = longest_gap(self.eval_interval, steps)
            found = self._steps(interval, done=0, left=self._left(spent=0, prepared=None))
            if found == steps:
                break
            steps = found
        return interval

    @functools.cached_property
    def steps(self) -> int:
        """Steps of a run that goes as planned."""
        return self._steps(self.interval, done=0, left=self._left(spent=0, prepared=None))

    def total_steps(self, *, done: int, spent: float, prepared: float | None) -> int:
        """Return how many steps the run takes in all, as its steps and evaluations went so far.

        Args:
            done: Steps taken.
            spent: What they cost, with the evaluations.
            prepared: What preparing the method took, where that is known.
        """
        left = self._left(spent=spent, prepared=prepared)
        return min(self._steps(self.interval, done=done, left=left), 2 * self.steps)

    def affords_evaluation(self, *, spent: float, prepared: float | None) -> bool:
        """Return whether a step can follow an evaluation now; one after the last step decides nothing."""
        return self._left(spent=spent, prepared=prepared) >= self.evaluation + self.step

    def _left(self, *, spent: float, prepared: float | None) -> float:
        return self.limit - self.fixed - (self.preparation if prepared is None else prepared) - spent

    def _steps(self, interval: int, *, done: int, left: float) -> int:
        """Return the number of the last step that can be paid for, with the evaluations between."""
        if not self.evaluation:
            return done + max(0, int(left / self.step))
        most = done + max(0, int(left / self.step))
        for at in (at for at in _schedule(most, interval) if at > done):
            needed = (at - done) * self.step
            if left < needed:
                break
            left, done = left - needed, at
            if left >= self.evaluation + self.step:
                left -= self.evaluation
        return done + max(0, int(left / self.step))

    def to_dict(self, *, used: float) -> dict[str, Any]:
        """Return what the evidence says of it: the share that was asked for and the one that was used.

        Args:
            used: What the run cost.
        """
        return {
            "asked": self.share,
            "used": used / self.retraining,
            "retraining_gradient_evaluations": round(self.retraining),
            "step_gradient_evaluations": round(self.step, 3),
        }


def check_share(share: object) -> None:
    """Refuse what is no share of retraining.

    Raises:
        ConfigError: It is not in (0, 1].
    """
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
        raise ConfigError(f"budget: expected a share of retraining above 0 and at most 1, got {share}.")


def unknown_cost(checkpoint: Path) -> ConfigError:
    """Return the error of a budget for weights of which nobody knows what training them cost."""
    return ConfigError(
        f"budget: no training record beside {checkpoint} says what training cost, so that a share of it cannot be "
        "computed. Give the number of steps instead: --steps N"
    )


@functools.lru_cache(maxsize=8)
def _schedule(steps: int, interval: int) -> tuple[int, ...]:
    return tuple(evaluation_steps(steps, interval))


def _rounded_up(share: float) -> float:
    """Return a share that is at least this one and has few digits.

    >>> _rounded_up(0.12301), _rounded_up(0.00041)
    (0.124, 0.001)
    """
    return -(-share * 1000 // 1) / 1000
