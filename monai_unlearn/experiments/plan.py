"""What a sweep is to run: a grid of settings, and a name for each trial that depends on all that decides it."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# What the command has options or uses of its own for.
TAKEN = {
    "index_dir": "--index",
    "cohort_spec": "SPEC",
    "output_dir": "--out",
    "reference": "--reference",
    "trials::splits": "the sweep itself",
}
VALIDATION = "validation"
_ID = re.compile(r"\w+(::\w+)*")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run of the grid: the swept settings as text, and the digest that names its folder."""

    settings: Mapping[str, str]
    name: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A sweep as it was asked for.

    Args:
        config: The bundle's `unlearn.yaml`.
        spec: The cohort spec.
        index: The image index's folder.
        axes: What to sweep: the values of each config id, as text.
        fixed: Settings that all trials share, as text.
        reference: None, `retrain`, or weights that never saw the forget part.
    """

    config: Path
    spec: Path
    index: Path
    axes: Mapping[str, tuple[str, ...]]
    fixed: Mapping[str, str]
    reference: str | None

    def trials(self, cohort_digests: Sequence[str]) -> Iterator[Trial]:
        """Yield the trials, the last axis fastest.

        Args:
            cohort_digests: Digests of spec and index: what is in them decides a run, not where they lie.
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
        """Return the files of weights that the runs start from or are compared with."""
        named = self.fixed.get("checkpoint") or str(self.config.parent.parent / "models" / "model.pt")
        path = type(self.config)
        return [path(text) for text in (named, self.reference or "") if path(text).is_file()]


def read_axes(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read `--set ID=V1,V2,…`.

    Raises:
        ConfigError: A text is of another form, or an id or a value is given twice.
    """
    axes: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, value = _pair(text, "--set", "ID=V1,V2,…")
        values = _split(value)
        if name in axes:
            raise ConfigError(f"--set {name} is given twice. Give all its values at once: --set {name}=V1,V2,…")
        if "" in values or len(set(values)) < len(values):
            raise ConfigError(f"--set {name}: expected values that differ, with commas between, got '{value}'.")
        axes[name] = values
    if not axes:
        raise ConfigError("nothing to sweep. Give at least one --set ID=V1,V2,…, for example --set method::noise=0,0.1")
    return axes


def read_fixed(texts: Sequence[str], axes: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Read `--fix ID=VALUE`.

    Raises:
        ConfigError: A text is of another form, or an id is given twice, or swept as well.
    """
    fixed: dict[str, str] = {}
    for text in texts:
        name, value = _pair(text, "--fix", "ID=VALUE")
        if name in fixed or name in axes:
            raise ConfigError(f"--fix {name}: it is set already. Leave one of the two out.")
        fixed[name] = value
    return fixed


def require_validation(plan: Plan) -> tuple[str, str]:
    """Check that forget and remain part have validation images; return the digests of spec and index.

    Raises:
        DataError: One of them has none.
        InputError: Spec, index or split cannot be used.
    """
    import pandas as pd

    from monai_unlearn.cohort import CohortSpec, SplitRule
    from monai_unlearn.index import Index

    index = Index.open(plan.index)
    cohort = CohortSpec.read(plan.spec).resolve(index)
    rule = _split_setting(plan)
    if rule is not None:
        parts = {"forget": cohort.forget, "remain": cohort.remain}
        # All at once: a column `split` is checked for patients that straddle it.
        splits = SplitRule(**rule).assign(pd.concat([*parts.values(), cohort.undetermined]))
        for name, frame in parts.items():
            if not (splits.loc[frame.index] == VALIDATION).any():
                raise no_validation(name)
    return cohort.spec.digest, index.digest


def no_validation(part: str) -> DataError:
    """Return the refusal to choose settings on test images."""
    return DataError(
        f"the {part} part has no validation image, and settings must not be chosen on test images. Train the bundle "
        "with --split::validation_fraction 0.1 and sweep with --fix split::validation_fraction=0.1, or fill a column "
        "`split` of the index."
    )


def _split_setting(plan: Plan) -> dict[str, Any] | None:
    """Return the split that the runs will use, or None where only the run itself can tell."""
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
            f"{plan.config}: expected a bundle's config, got what cannot be read as one ({type(error).__name__}). Give "
            "the bundle's configs/unlearn.yaml."
        ) from None
    plain = isinstance(split, dict) and all(isinstance(value, (int, float)) for value in split.values())
    return split if plain else None


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    name = name.strip().replace("#", "::")
    if not equals or not _ID.fullmatch(name) or not value.strip():
        raise ConfigError(f"{option}: expected {form} with an id of the config, got '{text}'.")
    if name in TAKEN:
        raise ConfigError(f"{option} {name}: the sweep sets it itself ({TAKEN[name]}). Leave it out.")
    return name, value.strip()


def _split(text: str) -> tuple[str, ...]:
    """Split at commas outside brackets."""
    depth, words = 0, [""]
    for letter in text:
        depth += _BRACKETS.get(letter, 0)
        if letter == "," and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    return tuple(word.strip() for word in words)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
