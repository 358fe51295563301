"""A rehearsal as the user asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.audits.klom import FEWEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RehearsalPlan:
    """A rehearsal as the user asks for it.

    Args:
        config: The bundle's `unlearn.yaml`.
        index: The image index's folder.
        specs: Cohort specs. With `draw`, the first is the real cohort, which is not rehearsed on; the others, and
            without `draw` all of them, are rehearsal cohorts.
        draw: How many cohorts like the first to draw, to be counted; 0 to draw none.
        tune_on: How many further cohorts choose the settings. Where none are drawn, the first ones of `specs` do.
        methods: Registered methods.
        seeds: How many networks are retrained without each cohort, at least 3.
        trials: How many settings of each method are tried.
        fixed: Settings that all runs share, as text.
        jobs: How many runs at once.
        seed: Seeds draws and choices.
        predictors: Predictors of retraining whose error is measured along the way.
        deep: How many pairs of small networks are trained for KLoM on the first counted cohort, 20 or more; 0 for none.
        small: Settings of training, as text, that make these networks small.
        trust: Whether the index's parts are not compared with their digests here; each run compares them in any case.
    """

    config: Path
    index: Path
    specs: Sequence[Path]
    draw: int = 0
    tune_on: int = 2
    methods: Sequence[str] = ("reset", "psg", "finetune")
    seeds: int = 3
    trials: int = 6
    fixed: Mapping[str, str]
    jobs: int = 1
    seed: int = 0
    predictors: Sequence[str] = ()
    deep: int = 0
    small: Mapping[str, str] = field(default_factory=dict)
    trust: bool = False

    def __post_init__(self) -> None:
        if not self.config.is_file():
            raise ConfigError(f"{self.config}: there is no such config. Give the bundle, or its configs/unlearn.yaml.")
        for name, least in (("draw", 0), ("tune_on", 0), ("seeds", 3), ("trials", 1), ("jobs", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"--{name.replace('_', '-')}: expected at least {least}, got {getattr(self, name)}.")
        self._check_deep()
        if not self.specs or not self.methods:
            raise ConfigError("expected at least one --spec and one method.")
        if not self.tune_on and len(self.methods) > 1:
            raise ConfigError(
                "--tune-on 0: nothing would choose between methods, since the cohorts that are counted must not. Give "
                "one method, or let some cohorts choose."
            )
        for name, value in self.fixed.items():
            if set(value) & {"$", "@", "%"} or name.startswith(("method::", "stop::")):
                raise ConfigError(
                    f"--fix {name}: a protocol holds plain values, and methods are set by what is tried of them. Leave "
                    "it out, or write the value."
                )

    def _check_deep(self) -> None:
        if self.deep and self.deep < FEWEST:
            raise ConfigError(f"--deep-networks: expected at least {FEWEST}, got {self.deep}: fewer fill no histogram.")
        if self.small and not self.deep:
            raise ConfigError("--small: it is about the networks of --deep. Give --deep, or leave it out.")
