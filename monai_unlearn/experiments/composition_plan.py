"""What to compose, and the settings of the run that composes it; what cannot be composed is refused here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.run_configs import run_configs
from monai_unlearn.release.config_text import read_config
from monai_unlearn.release.contents import WEIGHTS
from monai_unlearn.release.state_dict import file_weights_digest
from monai_unlearn.vocabulary.composing import check_composition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.experiments.parent_bundle import ParentBundle

RETRAIN = "retrain"
# What a run sets anew, or does not use because it takes no steps.
_NOT_TAKEN = frozenset(
    {
        *("method", "parents", "output_dir", "bundle_root", "reference", "reference_seeds", "stop", "budget"),
        *("protocol", "accept_bound", "predictor", "estimate", "force", "calibrate", "run_name", "tracking_uri"),
        *("imports", "initialize", "finalize", "tracking", "experiment_name", "save_execute_config"),
        *("train", "training", "phases", "steps", "max_epochs", "eval_interval", "checkpoint_seconds"),
        *("learning_rate", "batch_size", "remain_batch_size", "num_workers", "revision", "unlearn"),
    }
)


@dataclass(frozen=True, kw_only=True)
class CompositionPlan:
    """What to compose, and how.

    Args:
        a: The first revision: the output folder of its run, or the bundle in it; or the original.
        b: The second one.
        by: `splice`, `linear`, `task_vectors` or `ensemble`.
        classifier: Of a splice, how deep from the output the modules lie that are B's; None for the head.
        weight: The coefficient; None chooses it on validation images.
        original: The bundle that both were revised from; None for the one that their runs name.
        index: Its index of images, likewise.
        spec: Its cohort spec, likewise.
        references: Files of weights retrained without the cohort, or `retrain` alone; empty for those that the runs
            compared with.
    """

    a: Path
    b: Path
    by: str = "splice"
    classifier: str | int | None = None
    weight: float | None = None
    original: Path | None = None
    index: Path | None = None
    spec: Path | None = None
    references: Sequence[str] = ()


def settings_of(plan: CompositionPlan, a: ParentBundle, b: ParentBundle, original: Path) -> dict[str, Any]:
    """Return what the run sets over the config of the original.

    Args:
        plan: What to compose, and how.
        a: The first bundle; at least one of both is a revision.
        b: The second one.
        original: The bundle that both were revised from.

    Raises:
        ConfigError: The two cannot be composed so, or the data or the original are not those of their runs.
        InputError: The index or the spec cannot be read.
    """
    first = a if a.run is not None else b
    digest = first.digest("base_weights")
    if digest is None:
        raise ConfigError(f"{first.root}: its run.json does not say which weights were revised. Revise again.")
    method = _method(plan)
    checkpoint = _checkpoint(plan, first, original)
    _check_original(checkpoint, digest, first.root)
    index = _place(plan.index, first, "index_dir", "--index")
    spec = _place(plan.spec, first, "cohort_spec", "--spec")
    _check_data(first, index, spec)
    references = _references(plan) or max(a.references(), b.references(), key=len)
    return {
        **_judged_as(first, original),
        "index_dir": str(index),
        "cohort_spec": str(spec),
        "checkpoint": str(checkpoint),
        "method": {"name": "composition", **method},
        "parents": [one.entry(original_digest=digest) for one in (a, b)],
        **({"reference": references} if references else {}),
        "stop": {},
        "budget": None,
    }


def _method(plan: CompositionPlan) -> dict[str, Any]:
    """Return the arguments of the method."""
    given = {"by": plan.by, "classifier": plan.classifier, "weight": plan.weight}
    method: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    check_composition(**method)
    return method


def _check_original(checkpoint: Path, digest: str, revision: Path) -> None:
    """Refuse weights that a revision was not revised from; what cannot be read here is looked at by the run."""
    try:
        found = file_weights_digest(checkpoint)
    except ConfigError:
        return
    if found != digest:
        raise ConfigError(
            f"{checkpoint}: expected the weights that {revision} was revised from, and it holds others. "
            "Give the bundle that both were revised from: --original BUNDLE."
        )


def _references(plan: CompositionPlan) -> list[str] | str:
    """Return the retrained networks that the user gives, as the setting `reference` takes them."""
    if RETRAIN in plan.references:
        if len(plan.references) > 1:
            raise ConfigError(f"--reference: expected {RETRAIN} alone, or files, got both.")
        return RETRAIN
    files = [Path(file) for file in plan.references]
    if missing := [str(file) for file in files if not file.is_file()]:
        raise ConfigError(
            f"--reference {missing[0]}: no such file. Give weights trained without the cohort, or {RETRAIN}."
        )
    return [str(file.resolve()) for file in files]


def _judged_as(parent: ParentBundle, original: Path) -> dict[str, Any]:
    """Return the plain settings of a parent's run that the config of the original does not say: how it was judged.

    Expressions and components are taken from the original's own config: evidence is data, and nothing in it is run.
    """
    merged: dict[str, Any] = {}
    for path in run_configs(original):
        merged |= read_config(path) or {}
    return {
        name: value
        for name, value in parent.config.items()
        if name not in _NOT_TAKEN and not name.startswith("_") and is_plain(value) and merged.get(name) != value
    }


def is_plain(value: object) -> bool:
    """Return whether a value of a config is data alone: nothing in it is evaluated.

    >>> is_plain({"objective": "erase", "limit": 0.2}), is_plain(["$print()"]), is_plain({"_target_": "Compose"})
    (True, False, False)
    """
    if isinstance(value, dict):
        return not any(str(key).startswith("_") for key in value) and all(map(is_plain, value.values()))
    if isinstance(value, list):
        return all(map(is_plain, value))
    return not (isinstance(value, str) and any(sign in value for sign in "$@%"))


def _place(given: Path | None, parent: ParentBundle, name: str, option: str) -> Path:
    """Return a file or folder that the user gave, or that the parent's run used."""
    recorded = parent.place(name)
    found = given if given is not None else None if recorded is None else Path(recorded)
    if given is not None and not given.exists():
        raise ConfigError(f"{option} {given}: it is not there. Give the one that the runs used, where it is now.")
    if found is None or not found.exists():
        raise ConfigError(f"{found or name}: what the runs used is not there. Give {option}.")
    return found.resolve()


def _checkpoint(plan: CompositionPlan, parent: ParentBundle, original: Path) -> Path:
    recorded = parent.place("checkpoint")
    used = Path(recorded) if recorded and plan.original is None else original / WEIGHTS
    return used if used.is_file() else original / WEIGHTS


def _check_data(parent: ParentBundle, index: Path, spec: Path) -> None:
    """Refuse an index or a spec that is not the one of the run: other images would be judged."""
    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.index import Index

    found: Mapping[str, tuple[str, str | None]] = {
        f"the index {index}": (Index.open(index).digest, parent.digest("index")),
        f"the cohort spec {spec}": (CohortSpec.read(spec).digest, parent.digest("spec")),
    }
    if changed := [what for what, (now, then) in found.items() if now != then]:
        raise ConfigError(
            f"{' and '.join(changed)} is not what {parent.root} was revised with. Give the same, or revise again."
        )
