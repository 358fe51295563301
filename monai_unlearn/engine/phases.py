"""The length of a run and its phases: what its steps are for, and their learning rate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.methods.base import PhaseName

Decay = Literal["constant", "cosine"]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Steps of one kind.

    Args:
        name: `forget` takes batches of forget and remain images, `repair` of remain images alone.
        steps: How many, at least 1; None for as many as the run's `steps` or its budget allows, which only a single
            phase can have.
        learning_rate: The optimiser's learning rate at the first step, or at the end of the warm-up; positive.
        decay: `constant` keeps it; `cosine` brings it down to 0 along half a cosine (Loshchilov and Hutter
            2017, arXiv 1608.03983, equation 5, without restarts).
        warm_up: Share of the steps over which the learning rate first rises, in [0, 1). Adam's first steps are as long
            as its rate allows, whatever the gradient: without a warm-up, one or two steps may forget more than wanted
            before the first evaluation.

    Raises:
        ConfigError: A value is unknown or out of range.
    """

    name: PhaseName
    steps: int | None = None
    learning_rate: float
    decay: Decay = "constant"
    warm_up: float = 0.0

    def __post_init__(self) -> None:
        check_choice(self.name, get_args(PhaseName), name="phases: name")
        check_choice(self.decay, get_args(Decay), name="phases: decay")
        counted = self.steps is None or (isinstance(self.steps, int) and self.steps >= 1)
        if not (counted and 0 < self.learning_rate < math.inf):
            raise ConfigError(
                f"phases: expected steps >= 1 and learning_rate > 0, got {self.steps} and {self.learning_rate}."
            )
        if not 0 <= self.warm_up < 1:
            raise ConfigError(f"phases: expected warm_up to be a share in [0, 1), got {self.warm_up}.")

    def rate(self, step: int, *, of: int | None = None) -> float:
        """Return the learning rate of a step of this phase, counted from 0.

        Args:
            step: The step.
            of: How many steps the phase has, where it leaves them open.
        """
        of = self.steps or of or 1
        rising = int(self.warm_up * of)
        if step < rising:
            return self.learning_rate * (step + 1) / (rising + 1)
        if self.decay == "constant":
            return self.learning_rate
        return self.learning_rate * (1 + math.cos(math.pi * (step - rising) / (of - rising))) / 2


class Phases(Sequence[Phase]):
    """The phases of a run, in order.

    Args:
        phases: At least one `Phase`, or the arguments of one as a mapping.

    Raises:
        ConfigError: There is no phase, or a mapping does not make one.
    """

    def __init__(self, phases: Sequence[Phase | Mapping[str, Any]]) -> None:
        self._phases = tuple(phase if isinstance(phase, Phase) else _read(phase) for phase in phases)
        if not self._phases:
            raise ConfigError("phases: expected at least one phase, got none. Leave phases out to have none.")
        if len(self._phases) > 1 and any(phase.steps is None for phase in self._phases):
            raise ConfigError("phases: expected steps for each of several phases. One phase alone can leave them open.")
        self._ends = tuple(itertools.accumulate(phase.steps or 0 for phase in self._phases))

    def __getitem__(self, index: int) -> Phase:  # type: ignore[override]  # no slices
        return self._phases[index]

    def __len__(self) -> int:
        return len(self._phases)

    @property
    def steps(self) -> int | None:
        """Steps of all phases together; None where they are left open."""
        return self._ends[-1] or None

    def at(self, step: int) -> tuple[Phase, int]:
        """Return the phase of a step, counted from 0, and the number of the step within that phase.

        A step beyond the end counts as the last one; a phase without an end has them all.
        """
        for phase, end in zip(self._phases, self._ends, strict=True):
            if phase.steps is None:
                return phase, step
            if step < end:
                return phase, step - (end - phase.steps)
        return self._phases[-1], (self._phases[-1].steps or 1) - 1

    def repair_after(self, step: int) -> int | None:
        """Return the first step of the next repair phase that begins after a step, or None."""
        for phase, end in zip(self._phases, self._ends, strict=True):
            if phase.name == "repair" and end - (phase.steps or 0) > step:
                return end - (phase.steps or 0)
        return None


def planned_steps(phases: Phases | None, *, steps: int | None, max_epochs: int | None, epoch_length: int) -> int:
    """Return the length of a run: that of its phases, or else, as where they leave it open, `steps` or `max_epochs`.

    Args:
        phases: The run's phases, if it has any.
        steps: Updates, at least 1.
        max_epochs: Passes over the forget images, at least 1.
        epoch_length: Steps in a pass.

    Raises:
        ConfigError: None of the three is given, or it is not a whole number of at least 1.
    """
    if phases is not None and phases.steps is not None:
        return phases.steps
    given = steps if steps is not None else max_epochs
    if not isinstance(given, int) or given < 1:
        raise ConfigError(
            f"length of the run: expected phases, steps or max_epochs of at least 1, got steps {steps} and "
            f"max_epochs {max_epochs}."
        )
    return given if steps is not None else given * epoch_length


def _read(section: Mapping[str, Any]) -> Phase:
    known = [field.name for field in fields(Phase)]
    needed = ("name", "learning_rate")
    if not isinstance(section, Mapping) or set(section) - set(known) or not set(needed) <= set(section):
        raise ConfigError(
            f"phases: each takes {', '.join(known)}; {', '.join(needed)} are required. "
            "An example: {name: repair, steps: 50, learning_rate: 0.002, decay: cosine}"
        )
    return Phase(**section)
