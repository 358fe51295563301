"""What a sweep runs: a grid of settings, and a name for each trial, a digest of everything that decides its result."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn import strict_yaml
from monai_unlearn.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

VALIDATION = "validation"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of the grid: its settings as text, and the digest that names its folder."""

    settings: Mapping[str, str]
    name: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A sweep as the user asked for it.

    Args:
        config: The bundle's `unlearn.yaml`.
        spec: The cohort spec.
        index: The image index's folder.
        axes: The values to try for each config id, as text.
        fixed: Settings that all trials share, as text.
        reference: None, `retrain`, or weights that never saw the forget part.
        trust: Whether the index's parts are not compared with their digests here; each run compares them in any case.
    """

    config: Path
    spec: Path
    index: Path
    axes: Mapping[str, tuple[str, ...]]
    fixed: Mapping[str, str]
    reference: str | None
    trust: bool = False

    def trials(self, cohort_digests: Sequence[str]) -> Iterator[Trial]:
        """Yield the trials, the last axis fastest.

        Args:
            cohort_digests: Digests of spec and index. Their content decides a run, not their paths.
        """
        from monai_unlearn import __version__
        from monai_unlearn.cohort.spec.canonical import digest_of

        files = [_digest(path) for path in (*sorted(self.config.parent.glob("*.yaml")), *self._weights())]
        for values in itertools.product(*self.axes.values()):
            settings = dict(zip(self.axes, values, strict=True))
            decides = [__version__, list(cohort_digests), files, self.config.name, self.reference]
            digest = digest_of([*decides, {**self.fixed, **settings}])
            yield Trial(settings=settings, name=digest.removeprefix("sha256:")[:16])

    def _weights(self) -> list[Path]:
        """Return the files that the runs start from or are compared with: weights, their records, and the lineage."""
        path, bundle = type(self.config), self.config.parent.parent
        weights = [path(self.fixed.get("checkpoint") or bundle / "models" / "model.pt"), *map(path, self._references())]
        records = [file.with_name("training.json") for file in weights]
        return [file for file in (*weights, *records, bundle / "lineage.json") if file.is_file()]

    def _references(self) -> list[str]:
        """Return the names of the references given as files: one, or the text of a list."""
        if (self.reference or "").lstrip().startswith("["):
            return [str(name) for name in strict_yaml.load(str(self.reference), source="--reference")]
        return [self.reference] if self.reference else []


def require_validation(plan: Plan) -> tuple[str, str]:
    """Check that the forget and the remain part have validation images; return the digests of spec and index.

    Raises:
        DataError: One of them has no validation images.
        InputError: Spec, index or split cannot be used.
    """
    import pandas as pd

    from monai_unlearn.cohort import CohortSpec, SplitRule
    from monai_unlearn.index import Index

    index = Index.open(plan.index, trust=plan.trust)
    cohort = CohortSpec.read(plan.spec).resolve(index)
    rule = _split_setting(plan)
    if rule is not None:
        parts = {"forget": cohort.forget, "remain": cohort.remain}
        # All parts at once, so that a patient with images in two splits of a column `split` is found.
        splits = SplitRule(**rule).assign(pd.concat([*parts.values(), cohort.undetermined]))
        for name, frame in parts.items():
            if not (splits.loc[frame.index] == VALIDATION).any():
                raise no_validation(name)
    return cohort.spec.digest, index.digest


def no_validation(part: str) -> DataError:
    """Return the error that refuses to choose settings on test images."""
    return DataError(
        f"the {part} part has no validation image, and settings must not be chosen on test images. Train the bundle "
        "with --split::validation_fraction 0.1 and sweep with --fix split::validation_fraction=0.1, or fill a column "
        "`split` of the index."
    )


def _split_setting(plan: Plan) -> dict[str, Any] | None:
    """Return the split that the runs will use, or None if it contains expressions that only the run evaluates."""
    import yaml

    try:
        config = yaml.safe_load(plan.config.read_text(encoding="utf-8"))
        split = config.get("split", {})
        overrides = {name: value for name, value in plan.fixed.items() if name == "split" or name.startswith("split::")}
        for name, value in overrides.items():
            if name == "split":
                split = yaml.safe_load(value)
            else:
                split[name.removeprefix("split::")] = yaml.safe_load(value)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"{plan.config}: expected a bundle's config, but it cannot be read as one ({type(error).__name__}). Give "
            "the bundle's configs/unlearn.yaml."
        ) from None
    plain = isinstance(split, dict) and all(isinstance(value, (int, float)) for value in split.values())
    return split if plain else None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
