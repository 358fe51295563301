"""Composes two revisions of one original into one: a run of the original's bundle by the method `composition`."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.parent_bundle import ParentBundle, differences
from monai_unlearn.experiments.run_configs import run_configs
from monai_unlearn.experiments.unlearn import unlearn
from monai_unlearn.release.config_text import read_config
from monai_unlearn.release.contents import WEIGHTS
from monai_unlearn.release.weights import holds_weights
from monai_unlearn.staging import check_free, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.experiments.unlearn import Revised

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


def compose(plan: CompositionPlan, out: Path, *, quiet: bool = False) -> Revised:
    """Compose two bundles, and judge the result as any revision.

    Args:
        plan: What to compose, and how.
        out: Where results go; new or empty.
        quiet: Leave stdout alone; see `unlearn`.

    Raises:
        ConfigError: The two cannot be composed; the message says what differs or is missing.
        InputError: The index or the spec cannot be read.
        StoppedError: The run was interrupted.
    """
    check_free(out)
    a, b = ParentBundle.read(plan.a, option="--a"), ParentBundle.read(plan.b, option="--b")
    _check_outside(out, a, b)
    revised = [one for one in (a, b) if one.run is not None]
    if not revised:
        raise ConfigError("--a, --b: neither is a revision with its evidence. Give the output folder of a run.")
    if len(revised) > 1 and (different := differences(a, b)):
        raise ConfigError(
            f"--a, --b: expected revisions of one network that forgot the same cohort, but they differ in "
            f"{', '.join(different)}. Revise the original again for one of them, with the same settings."
        )
    original = _original(plan, a, b)
    settings = _settings(plan, a, b, original)
    with tempfile.TemporaryDirectory(prefix="monai-unlearn-compose-") as folder:
        overlay = Path(folder, "composition.json")
        write_json(overlay, settings)
        return unlearn(original, out, {}, overlays=[overlay], quiet=quiet)


def _check_outside(out: Path, *parents: ParentBundle) -> None:
    for one in parents:
        inside = one.root if one.run is None else one.run.root
        if out.resolve().is_relative_to(inside.resolve()):
            raise ConfigError(f"--out {out}: it lies within {inside}, which is to be composed. Choose another folder.")


def _original(plan: CompositionPlan, a: ParentBundle, b: ParentBundle) -> Path:
    """Return the bundle that both were revised from."""
    given = [plan.original] if plan.original else [one.root for one in (a, b) if one.run is None]
    recorded = [Path(place) for one in (a, b) if (place := one.place("bundle_root"))]
    for folder in (*given, *recorded):
        if folder.is_dir():
            return folder.resolve()
    raise ConfigError(
        "the original bundle, which both were revised from, is not where their runs say. Give it: --original BUNDLE."
    )


def _settings(plan: CompositionPlan, a: ParentBundle, b: ParentBundle, original: Path) -> dict[str, Any]:
    """Return what the run sets over the config of the original."""
    first = a if a.run is not None else b
    digest = first.digest("base_weights")
    if digest is None:
        raise ConfigError(f"{first.root}: its run.json does not say which weights were revised. Revise again.")
    method = _method(plan)
    checkpoint = _checkpoint(plan, first, original)
    if not holds_weights(checkpoint, digest):
        raise ConfigError(
            f"{checkpoint}: expected the weights that {first.root} was revised from, and it holds others. "
            "Give the bundle that both were revised from: --original BUNDLE."
        )
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
    """Return the arguments of `Composition`, which refuses what it cannot do before anything starts."""
    from monai_unlearn.methods.composition import Composition

    method: dict[str, Any] = {"by": plan.by}
    if plan.classifier is not None:
        method["classifier"] = plan.classifier
    if plan.weight is not None:
        method["weight"] = plan.weight
    Composition(**method)
    return method


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
