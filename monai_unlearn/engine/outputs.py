"""Writes what a run leaves behind, into a folder that is renamed when all of it is there."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from monai_unlearn import __version__
from monai_unlearn.card import build_diff, to_markdown
from monai_unlearn.engine import distributed
from monai_unlearn.methods import info_of
from monai_unlearn.release import weights_digest, write_json, write_revised_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.engine.revision import Revision

PROMOTED = "revised_bundle"
REJECTED = "rejected_bundle"
_PACKAGES = ("monai", "torch", "pytorch-ignite", "pydicom", "numpy", "pandas", "duckdb", "pyarrow")


def write_outputs(
    revision: Revision,
    folder: Path,
    *,
    original: nn.Module,
    evidence: Mapping[str, Any],
    updates: Mapping[str, Any],
) -> None:
    """Write metrics, manifest, run record, card difference and bundle below `folder`.

    A result that is not accepted leaves its bundle as `rejected_bundle`, so that nothing which picks up
    `revised_bundle` can deploy it.
    """
    cohort = revision.data.cohort
    if cohort is None:
        raise AssertionError("a revision has a cohort")
    date = datetime.now(timezone.utc)
    diff = build_diff(
        base={**_identity(revision, revision.base.version), "weights_digest": weights_digest(original.state_dict())},
        revised={
            **_identity(revision, revision.base.next_version),
            "weights_digest": weights_digest(revision.network.state_dict()),
        },
        modification=_modification(revision, date.date().isoformat()),
        evidence=evidence,
    )
    write_json(folder / "metrics.json", evidence)
    write_json(folder / "cohort_manifest.json", cohort.manifest)
    write_json(folder / "run.json", {**_run_record(revision, diff, evidence, date), "updates": updates})
    revision.trainer.method.write_diagnostics(folder / "plots")
    texts = {
        "model_card_diff.json": json.dumps(diff, indent=2, ensure_ascii=False) + "\n",
        "model_card_diff.md": to_markdown(diff),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_revised_bundle(
        revision.base,
        folder / (PROMOTED if evidence["accepted"] else REJECTED),
        network=revision.network,
        record=revision.base_record(),
        settings=revision.retraining.overrides,
        change=_changelog_entry(revision, accepted=evidence["accepted"]),
        documents=texts,
    )


def _identity(revision: Revision, number: str) -> dict[str, str]:
    return {"name": revision.base.name, "version": number}


def _modification(revision: Revision, date: str) -> dict[str, Any]:
    cohort = revision.data.cohort
    if cohort is None:
        raise AssertionError("a revision has a cohort")
    preview = cohort.preview()
    spec = cohort.spec
    info = info_of(revision.trainer.method)
    return {
        "reason": preview["reason"],
        "date": date,
        "seed": revision.seed,
        "tool_version": __version__,
        "cohort": {
            "name": spec.name,
            "spec_digest": preview["spec_digest"],
            "index_digest": preview["index_digest"],
            # A bundle travels: whoever withdrew consent must not be named in it.
            "forget": spec.forget.render(private=True),
            "population": None if spec.population is None else spec.population.render(private=True),
            "unknown": spec.unknown.value,
            "scope": spec.scope.value,
            "images": preview["images"],
            "patients": preview["patients"],
            "attrition": preview["attrition"],
        },
        "method": {
            "name": info.name,
            "paper": info.paper,
            "equations": info.equations,
            "settings": _settings(revision),
            "recalibrated": revision.recalibrate,
        },
    }


def _settings(revision: Revision) -> dict[str, Any]:
    """Return the method's section of the config, or its class where it was built in Python."""
    section = revision.config.get("method")
    return dict(section) if isinstance(section, Mapping) else {"_target_": type(revision.trainer.method).__name__}


def _run_record(
    revision: Revision, diff: Mapping[str, Any], evidence: Mapping[str, Any], date: datetime
) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "date": date.isoformat(timespec="seconds"),
        "tool_version": __version__,
        "seed": revision.seed,
        "config": dict(revision.config),
        "base_training_record": revision.base_record(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "machine": {
            "processor": platform.machine(),
            "threads": torch.get_num_threads(),
            "device": _device_name(revision.device),
            "processes": distributed.world_size(),
        },
        "seconds": evidence["cost"]["seconds"],
        "gradient_evaluations": evidence["cost"]["gradient_evaluations"],
        "steps": revision.trainer.state.iteration,
        "epochs": revision.trainer.state.epoch,
        "digests": {
            "base_weights": diff["base"]["weights_digest"],
            "revised_weights": diff["revised"]["weights_digest"],
            "spec": diff["modification"]["cohort"]["spec_digest"],
            "index": diff["modification"]["cohort"]["index_digest"],
        },
    }


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _changelog_entry(revision: Revision, *, accepted: bool) -> str:
    cohort = revision.data.cohort
    if cohort is None:
        raise AssertionError("a revision has a cohort")
    status = "" if accepted else "NOT ACCEPTED. "
    method = info_of(revision.trainer.method).name
    return (
        f"{status}Unlearned cohort {cohort.spec.name} ({cohort.spec.reason.value.replace('_', ' ')}, "
        f"{len(cohort.forget)} images) by {method}."
    )
