"""What a comparison of methods runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.search_space import DEFAULT, EVERY
from monai_unlearn.strict_yaml import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ALL_METHODS = (EVERY,)


@dataclass(frozen=True, kw_only=True)
class ComparisonPlan:
    """Methods, cohorts and budgets; every method gets up to the same number of trials on each.

    Args:
        config: The bundle's `unlearn.yaml`.
        index: The image index's folder.
        specs: Cohort specs, each compared on by itself.
        methods: Registered methods, or `all`; `default` among them for what the bundle's config chooses, untuned.
        seeds: How many networks are retrained without each cohort, at least 3; all methods share them.
        budgets: Shares of what retraining costs, each in (0, 1].
        trials: How many settings of each method are tried, at least 1, for each cohort and budget.
        repeats: How many times the chosen setting runs, at least 1, each under a seed of its own.
        vary: The ids of settings that trials vary; without any, all that a method's record lists.
        fixed: Settings that all runs share, as text.
        jobs: How many runs at once.
        seed: Seeds the choice of settings.
        trust: Whether the index's parts are not compared with their digests here; each run compares them in any case.

    Raises:
        ConfigError: A value is missing or out of range.
    """

    config: Path
    index: Path
    specs: Sequence[Path]
    methods: Sequence[str] = ALL_METHODS
    seeds: int = 3
    budgets: Sequence[float] = (0.1,)
    trials: int = 6
    repeats: int = 1
    vary: Sequence[str] = ()
    fixed: Mapping[str, str]
    jobs: int = 1
    seed: int = 0
    trust: bool = False

    def __post_init__(self) -> None:
        if not self.config.is_file():
            raise ConfigError(f"{self.config}: there is no such config. Give the bundle, or its configs/unlearn.yaml.")
        for name, least in (("seeds", 3), ("trials", 1), ("repeats", 1), ("jobs", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"--{name}: expected at least {least}, got {getattr(self, name)}.")
        if not self.specs or not self.methods or not self.budgets:
            raise ConfigError("expected at least one --spec, one method and one budget.")
        if any(not 0 < budget <= 1 for budget in self.budgets) or len(set(self.budgets)) < len(self.budgets):
            raise ConfigError(
                "--budget: expected different shares of retraining's gradients above 0 and at most 1, such as 0.1,0.2, "
                f"got {', '.join(map(str, self.budgets))}."
            )
        parts = [name for name in self.fixed if name.startswith("method::")]
        if parts and DEFAULT in self.methods:
            raise ConfigError(
                f"--fix {parts[0]}: {DEFAULT}, which is among the methods, chooses its settings itself. Leave one of "
                "the two out."
            )
        seed = self.fixed.get("seed", "0")
        # An expression is the runs' to evaluate.
        if not seed.isdecimal() and not set(seed) & {"$", "@", "%"}:
            raise ConfigError(f"--fix seed: expected a whole number of at least 0, got '{seed}'.")

    @property
    def first_seed(self) -> int:
        """The seed of the runs that are not repeats: what is fixed, or else the config's.

        Raises:
            ConfigError: It is no whole number of at least 0.
        """
        config = load(self.config.read_text(encoding="utf-8"), source=str(self.config))
        said = self.fixed.get("seed", str(config.get("seed", 0) if isinstance(config, dict) else 0))
        if not said.isdecimal():
            raise ConfigError(
                f"seed: expected a whole number of at least 0, from which --repeats count on, got '{said}'. Give --fix "
                "seed=0, or another."
            )
        return int(said)
