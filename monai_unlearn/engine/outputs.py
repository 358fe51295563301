"""Writes what a run leaves behind: a bundle that travels, and evidence that stays with the images."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from monai_unlearn.card import RENDERERS, build_diff
from monai_unlearn.card.bundle_facts import bundle_facts
from monai_unlearn.card.eval_metrics import eval_metrics
from monai_unlearn.cohort.resolve.frozen import freeze
from monai_unlearn.engine import distributed
from monai_unlearn.engine.chosen_method import settings_of
from monai_unlearn.engine.lineage import revised_record, write_lineage_members
from monai_unlearn.evaluation.decision import promotes
from monai_unlearn.methods import LogitEnsemble, info_of
from monai_unlearn.release import weights_digest, write_revised_bundle, write_sums
from monai_unlearn.release.ensemble_config import write_as_ensemble
from monai_unlearn.release.lineage import lineage_after
from monai_unlearn.staging import write_json, write_text
from monai_unlearn.version import __version__
from monai_unlearn.vocabulary.run_folder import README, STAYS, RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.cohort import Cohort, SplitRule
    from monai_unlearn.cohort.lineage.document import Lineage
    from monai_unlearn.data import CohortData
    from monai_unlearn.engine.consent import DoubtfulTraining
    from monai_unlearn.evaluation import PredictionTable
    from monai_unlearn.methods import Method
    from monai_unlearn.release import BundleInfo

_PACKAGES = ("monai", "torch", "pytorch-ignite", "pydicom", "numpy", "pandas", "duckdb", "pyarrow")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A finished run, as the outputs describe it.

    Args:
        base: The bundle that was revised.
        base_digest: Digest of the original weights.
        base_record: The training record of the original weights; empty where there is none.
        bundle_settings: What the run used for classes, image size and the like; the revised bundle says the same.
        data: The images of the run.
        keyfile: The key file of the site, if one is given.
        cohort: The cohort that was forgotten.
        split_rule: How patients were assigned to splits.
        pixels: The digests of the pixels of the images that were loaded.
        doubtful: The doubtful images that are not forgotten; None where the reason is not a withdrawn consent.
        network: The revised network.
        method: The method that revised it.
        recalibrated: Whether BatchNorm was recalibrated after the last step.
        seed: The run's seed.
        config: The config as executed; empty where the run was built in Python.
        device: Where the run computed.
        steps: Updates made.
        epochs: Passes over the forget images.
        updates: How the updates ended; see `Updates.record`.
        parents: Of a composition, `version` and `weights_digest` of the networks that it is made of.
        places: Where the run found bundle, weights, index and spec.
        weights_keys: The keys under which the bundle's own loader looks for the weights in their file, if any.
        evidence: What `metrics.json` will hold.
        predictions: What every network predicts for every image.
    """

    base: BundleInfo
    base_digest: str
    base_record: Mapping[str, Any]
    bundle_settings: Mapping[str, Any]
    data: CohortData
    keyfile: str | None
    cohort: Cohort
    split_rule: SplitRule
    pixels: Mapping[str, str | None]
    doubtful: DoubtfulTraining | None
    network: nn.Module
    method: Method
    recalibrated: bool
    seed: int
    config: Mapping[str, Any]
    device: torch.device
    steps: int
    epochs: int
    updates: Mapping[str, Any]
    evidence: Mapping[str, Any]
    predictions: PredictionTable
    parents: Sequence[Mapping[str, str]] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    weights_keys: tuple[str, ...] = ()


def write_outputs(outcome: Outcome, folder: Path) -> None:
    """Write the bundle and, beside it, the evidence into a folder.

    A result whose verdict does not promote leaves its bundle as `rejected_bundle`, so that nothing that picks up
    `revised_bundle` can deploy it.
    """
    run, date = RunFolder(folder), datetime.now(timezone.utc)
    run.evidence.mkdir(exist_ok=True)  # a retrained reference is there already
    manifest = freeze(outcome.cohort, run.evidence, rule=outcome.split_rule, pixels=outcome.pixels)
    diff = _difference(outcome, date.date().isoformat(), manifest)
    texts = {name: render(diff) for name, render in RENDERERS.items()}
    _write_evidence(outcome, run, {**_run_record(outcome, diff, date), "updates": outcome.updates}, texts)
    lineage = _lineage(outcome, run, diff, manifest)
    accepted = promotes(outcome.evidence["verdict"])
    bundle = run.bundle(accepted=accepted)
    parent = {"version": outcome.base.version, "weights_digest": outcome.base_digest}
    write_revised_bundle(
        replace(outcome.base, metadata={**outcome.base.metadata, "eval_metrics": eval_metrics(diff)}),
        bundle,
        network=outcome.network,
        record=revised_record(
            outcome.base_record, outcome.data, parent=parent, lineage=lineage, composed_of=outcome.parents
        ),
        settings=outcome.bundle_settings,
        change=_changelog_entry(outcome, accepted=accepted),
        documents=texts,
        weights_keys=outcome.weights_keys,
    )
    if isinstance(outcome.network, LogitEnsemble):
        write_as_ensemble(bundle)
    lineage.write(bundle)
    write_sums(bundle)


def _lineage(outcome: Outcome, run: RunFolder, diff: Mapping[str, Any], manifest: str) -> Lineage:
    """Write the members of the lineage, and return the lineage of the revised bundle."""
    version = outcome.base.next_version
    members = write_lineage_members(outcome.data, run, version=version, keyfile=outcome.keyfile)
    return lineage_after(
        outcome.data.earlier.lineage,
        cohort=outcome.cohort,
        versions=(outcome.base.version, version),
        date=diff["modification"]["date"],
        verdict=outcome.evidence["verdict"],
        kept_out=outcome.data.earlier.counts,
        digests={
            "manifest": manifest,
            "members": members.digest(version),
            "base_weights": outcome.base_digest,
            "weights": diff["revised"]["weights_digest"],
        },
    )


def _write_evidence(outcome: Outcome, run: RunFolder, record: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Write what stays with the images, beside the frozen cohort."""
    write_text(run.evidence / README, f"# Evidence\n\n{STAYS}\n")
    write_json(run.metrics, outcome.evidence)
    outcome.predictions.write(run.predictions)
    write_json(run.record, record)
    outcome.method.write_diagnostics(run.plots)
    for name, text in texts.items():
        write_text(run.evidence / name, text)


def _difference(outcome: Outcome, date: str, manifest: str) -> dict[str, Any]:
    """Return the model-card difference."""
    base, lineage = outcome.base, outcome.data.earlier.lineage
    return build_diff(
        base={"name": base.name, "version": base.version, "weights_digest": outcome.base_digest},
        revised={
            "name": base.name,
            "version": base.next_version,
            "weights_digest": weights_digest(outcome.network.state_dict()),
        },
        modification=_modification(outcome, date, manifest),
        evidence=outcome.evidence,
        bundle=bundle_facts(base.metadata),
        earlier=[] if lineage is None else lineage.model_dump(mode="json")["revisions"],
        versions=_versions(),
    )


def _modification(outcome: Outcome, date: str, manifest: str) -> dict[str, Any]:
    """Return the card's account of what was done, and for whom."""
    cohort, spec, info = outcome.cohort, outcome.cohort.spec, info_of(outcome.method)
    # A bundle is passed on: it must not name people, neither as identifiers nor in texts that a rule compares with.
    shown = cohort.passed_on
    return {
        "reason": spec.reason.value,
        "date": date,
        "seed": outcome.seed,
        "tool_version": __version__,
        "cohort": {
            "name": spec.name,
            "spec_digest": spec.digest,
            "index_digest": cohort.index.digest,
            "manifest_digest": manifest,
            "forget": shown.spec["content"]["forget"],
            "population": shown.spec["content"]["population"],
            "asked": shown.english,
            "unknown": spec.unknown.value,
            "scope": spec.scope.value,
            "images": cohort.images,
            "patients": cohort.patients,
            "patients_in_both": cohort.patients_in_both,
            "attrition": shown.attrition,
            "value_lists": cohort.value_lists,
            "variants": cohort.variants_passed_on,
            "doubtful_training": None if outcome.doubtful is None else outcome.doubtful.to_dict(),
        },
        "method": {
            "name": info.name,
            "paper": info.paper,
            "equations": info.equations,
            "settings": _method_settings(outcome),
            "recalibrated": outcome.recalibrated,
            "chosen_by": outcome.evidence["method"]["chosen_by"],
            "ground": outcome.evidence["method"]["ground"],
        },
        **({"composed_of": list(outcome.parents)} if outcome.parents else {}),
    }


def _method_settings(outcome: Outcome) -> dict[str, Any]:
    """Return the method's section of the config, or what its name stands for, as `method_of` built it."""
    section = outcome.config.get("method")
    return dict(section) if isinstance(section, Mapping) else settings_of(outcome.method)


def _run_record(outcome: Outcome, diff: Mapping[str, Any], date: datetime) -> dict[str, Any]:
    """Return `run.json` without `updates`."""
    cost, cohort = outcome.evidence["cost"], diff["modification"]["cohort"]
    return {
        "schema_version": 1,
        "date": date.isoformat(timespec="seconds"),
        "tool_version": __version__,
        "seed": outcome.seed,
        "method": dict(outcome.evidence["method"]),
        "config": dict(outcome.config),
        "places": dict(outcome.places),
        "base_training_record": dict(outcome.base_record),
        "versions": _versions(),
        "machine": {
            "processor": platform.machine(),
            "threads": torch.get_num_threads(),
            "device": _device_name(outcome.device),
            "processes": distributed.world_size(),
        },
        "cost": cost,
        "steps": outcome.steps,
        "epochs": outcome.epochs,
        "digests": {
            "base_weights": diff["base"]["weights_digest"],
            "revised_weights": diff["revised"]["weights_digest"],
            "spec": cohort["spec_digest"],
            "index": cohort["index_digest"],
        },
    }


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _changelog_entry(outcome: Outcome, *, accepted: bool) -> str:
    status = "" if accepted else "NOT PROMOTED. "
    spec = outcome.cohort.spec
    return (
        f"{status}Unlearned cohort {spec.name} ({spec.reason.value.replace('_', ' ')}, "
        f"{len(outcome.cohort.forget)} images) by {info_of(outcome.method).name}. "
        f"Verdict: {outcome.evidence['verdict']}."
    )
