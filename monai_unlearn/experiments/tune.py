"""Chooses one setting of a method by trying a few, with Optuna's TPE sampler."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError, TrainingError
from monai_unlearn.experiments.search_space import size_of, start_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monai_unlearn.experiments.search_space import Setting, Space


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A setting that was tried.

    Attributes:
        settings: The values by id.
        objective: Their objective, the mean over cohorts; infinite where a run failed.
    """

    settings: Mapping[str, Setting]
    objective: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values; an infinite objective is null."""
        return {
            "settings": dict(self.settings),
            "objective": self.objective if math.isfinite(self.objective) else None,
        }


def tune(space: Space, evaluate: Callable[[Mapping[str, Setting]], float], *, trials: int, seed: int) -> list[Tried]:
    """Try settings of a space, and return them in the order tried, each once.

    The first is the one to start from; the others are drawn by TPE (Bergstra et al. 2011, as in Optuna), from a seed
    and what was found, so that the same results give the same trials.

    Args:
        space: The values of each setting.
        evaluate: Returns the objective of a setting, smaller is better.
        trials: How many different settings to try, at least 1.
        seed: Seeds the sampler.

    Raises:
        ConfigError: There is something to choose, and Optuna is not installed.
        TrainingError: Every setting failed.
    """
    wanted = min(trials, size_of(space))
    one = wanted == 1
    tried = [_try(start_of(space), evaluate)] if one else _by_optuna(space, evaluate, wanted=wanted, seed=seed)
    if not any(math.isfinite(found.objective) for found in tried):
        raise TrainingError("every setting that was tried failed.")
    return tried


def best(tried: list[Tried]) -> Tried:
    """Return the setting with the smallest objective; the first one of several."""
    return min(tried, key=lambda one: one.objective)


def _by_optuna(
    space: Space, evaluate: Callable[[Mapping[str, Setting]], float], *, wanted: int, seed: int
) -> list[Tried]:
    optuna = _optuna()
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(2, wanted // 2)))
    study.enqueue_trial(start_of(space))
    found: dict[tuple[Setting, ...], Tried] = {}
    # A sampler may propose what was tried already; that costs nothing, and is told to it again.
    for _ in range(10 * wanted):
        trial = study.ask()
        settings = {name: trial.suggest_categorical(name, values) for name, values in space.items()}
        key = tuple(settings.values())
        found[key] = found.get(key) or _try(settings, evaluate)
        if math.isfinite(found[key].objective):
            study.tell(trial, found[key].objective)
        else:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        if len(found) == wanted:
            break
    return list(found.values())


def _try(settings: Mapping[str, Setting], evaluate: Callable[[Mapping[str, Setting]], float]) -> Tried:
    try:
        return Tried(settings=settings, objective=evaluate(settings))
    except TrainingError:
        return Tried(settings=settings, objective=math.inf)


def _optuna() -> Any:  # noqa: ANN401 - a module that may not be there
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "choosing settings needs Optuna: pip install 'monai-unlearn[tune]'. Or rehearse the settings that methods "
            "start from: --trials 1."
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
