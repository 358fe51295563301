"""What a sweep runs: a grid of settings, and a name for each trial, a digest of everything that decides its result."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn import strict_yaml
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.objective import VALIDATION, no_validation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from monai_unlearn.cohort import Cohort

ALL_SPLITS = f"['train','{VALIDATION}','test']"
"""The setting with which a run evaluates all three splits."""


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
        files = file_digests(self.config, checkpoint=self.fixed.get("checkpoint"), references=self._references())
        for values in itertools.product(*self.axes.values()):
            settings = dict(zip(self.axes, values, strict=True))
            decides = [list(cohort_digests), files, self.config.name, self.reference, {**self.fixed, **settings}]
            yield Trial(settings=settings, name=name_of(decides))

    def _references(self) -> list[str]:
        """Return the names of the references given as files: one, or the text of a list."""
        if (self.reference or "").lstrip().startswith("["):
            return [str(name) for name in strict_yaml.load(str(self.reference), source="--reference")]
        return [self.reference] if self.reference else []


def name_of(decides: Sequence[object]) -> str:
    """Return the name of a run: the start of a digest of everything that decides its result, this version included."""
    from monai_unlearn.cohort.spec.canonical import digest_of
    from monai_unlearn.version import __version__

    return digest_of([__version__, *decides]).removeprefix("sha256:")[:16]


def file_digests(config: Path, *, checkpoint: str | None, references: Sequence[str] = ()) -> list[str]:
    """Return the digests of the files that a run starts from: the configs, weights, their records, and the lineage.

    Args:
        config: The bundle's `unlearn.yaml`.
        checkpoint: The weights; None for the bundle's own.
        references: Further weights that it is compared with.
    """
    path, bundle = type(config), config.parent.parent
    weights = [path(checkpoint or bundle / "models" / "model.pt"), *map(path, references)]
    records = [file.with_name("training.json") for file in weights]
    files = [file for file in (*weights, *records, bundle / "lineage.json") if file.is_file()]
    return [_digest(file) for file in (*sorted(config.parent.glob("*.yaml")), *files)]


def require_validation(plan: Plan) -> tuple[str, str]:
    """Check that the forget and the remain part have validation images; return the digests of spec and index.

    Raises:
        DataError: One of them has no validation images.
        InputError: Spec, index or split cannot be used.
    """
    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.index import Index

    index = Index.open(plan.index, trust=plan.trust)
    cohort = CohortSpec.read(plan.spec).resolve(index)
    rule = split_setting(plan.config, plan.fixed)
    if rule is not None:
        splits = splits_of(cohort, rule)
        for part in ("forget", "remain"):
            if not (splits[part] == VALIDATION).any():
                raise no_validation(part, cohort=cohort.spec.name)
    return cohort.spec.digest, index.digest


def splits_of(cohort: Cohort, rule: Mapping[str, Any]) -> dict[str, pd.Series]:
    """Return the split of every image of the forget and the remain part, in the order of the part's data frame.

    Args:
        cohort: The cohort.
        rule: The split's settings.

    Raises:
        DataError: A patient has images in two splits of a column `split`.
    """
    import pandas as pd

    from monai_unlearn.cohort import SplitRule

    # All parts at once, so that a patient with images in two splits is found. Each frame counts its rows from 0.
    frames = {"forget": cohort.forget, "remain": cohort.remain, "undetermined": cohort.undetermined}
    splits = SplitRule(**rule).assign(pd.concat(frames))
    of = splits.index.get_level_values(0)
    return {part: splits[of == part].droplevel(0) for part in ("forget", "remain")}


def split_setting(config_file: Path, fixed: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the split that runs will use, or None if it contains expressions that only a run evaluates.

    Args:
        config_file: The bundle's `unlearn.yaml`.
        fixed: Settings of the runs, as text.

    Raises:
        ConfigError: The file is no bundle's config.
    """
    split = section_of(config_file, fixed, "split")
    plain = isinstance(split, dict) and all(isinstance(value, (int, float)) for value in split.values())
    return split if plain else None


def section_of(config_file: Path, fixed: Mapping[str, str], section: str) -> Any:  # noqa: ANN401 - of YAML
    """Return a section of a config as runs will have it; expressions in it stay text.

    Args:
        config_file: The bundle's `unlearn.yaml`.
        fixed: Settings of the runs, as text.
        section: The id of the section.

    Raises:
        ConfigError: The file is no bundle's config.
    """
    import yaml

    try:
        found = yaml.safe_load(config_file.read_text(encoding="utf-8")).get(section, {})
        for name, value in fixed.items():
            if name == section:
                found = yaml.safe_load(value)
            elif name.startswith(f"{section}::"):
                found[name.removeprefix(f"{section}::")] = yaml.safe_load(value)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"{config_file}: expected a bundle's config, but it cannot be read as one ({type(error).__name__}). Give "
            "the bundle's configs/unlearn.yaml."
        ) from None
    return found


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
