"""Runs the fundus bundle in this process, on the tiny cohort."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from monai.bundle import ConfigWorkflow

from monai_unlearn.engine import NotAccepted, Revision
from monai_unlearn.engine.host import ours

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "bundles" / "fundus_classifier"
TINY = {"class_names": ["up", "down"], "image_size": [16, 16], "batch_size": 8, "device": "cpu"}
# Two classes of which none means that a patient is healthy; for runs of `unlearn`.
JUDGED = {"decision": {"healthy_classes": []}}
# The cohort is tiny, and every margin as wide as it can be: whatever was changed a little is `erased`.
WIDE = {
    "decision": {
        "objective": "erase",
        "healthy_classes": [],
        "limit": 0.99,
        "min_patients": 2,
        "endpoints": [
            {"subset": "forget_train", "measure": "sensitivity", "margin": 0.99},
            {"subset": "remain_train", "measure": "sensitivity", "margin": 0.99},
            {"subset": "remain_train", "measure": "macro_sensitivity", "margin": 0.99},
        ],
    }
}
# As wide, beside retrained networks.
WIDE_MATCH = {
    "healthy_classes": [],
    "min_patients": 2,
    "endpoints": [
        {"subset": subset, "measure": measure, "margin": 0.99}
        for subset in ("forget_train", "remain_train")
        for measure in ("mean_probability", "sensitivity")
    ],
}

# Settings with which tests of the engine count steps and costs, independent of the bundle's own.
PLAIN = {
    "phases": None,
    "max_epochs": 1,
    "remain_batch_size": 32,
    "learning_rate": 0.0005,
    "eval_interval": 10,
    # Named, so that what they count does not depend on which method the kind of the cohort would choose.
    "method": {
        "_target_": "monai_unlearn.methods.PSG",
        "epsilon": 0.03,
        "labels": "hard",
        "unflipped": "keep",
        "remain_weight": 1.0,
        "batch_norm": "frozen",
    },
    # Audits depend on how fast the machine is: what is tested of them is in `test_audits.py`.
    "audits": [],
}


def unlearn(config: str = "unlearn.yaml", *, bundle: Path = BUNDLE, **overrides: Any) -> ConfigWorkflow:
    """Run `unlearn`, whatever its verdict: without retrained networks, that of the tiny cohort is `not_known`."""
    workflow = _workflow("unlearn", config, bundle=bundle, **overrides)
    with mock.patch.object(sys, "excepthook"):
        workflow.initialize()
        try:
            workflow.run()
        except Exception as error:
            if not isinstance(ours(error), NotAccepted):
                raise
        workflow.finalize()
    return workflow


def judged(**overrides: Any) -> ConfigWorkflow:
    """Run `unlearn`, and raise our error, which MONAI has wrapped, also where the verdict does not promote."""
    try:
        return run("unlearn", "unlearn.yaml", **overrides)
    except Exception as error:
        raise ours(error) or error from None


def revision(**overrides: Any) -> Revision:
    """Return the revision that `unlearn` would run."""
    with mock.patch.object(Revision, "run", autospec=True) as not_run:
        unlearn(**overrides)
    return not_run.call_args.args[0]


def run(run_id: str, config: str, *, bundle: Path = BUNDLE, **overrides: Any) -> ConfigWorkflow:
    """Run one id of one config; the process's own error reporting is restored afterwards."""
    workflow = _workflow(run_id, config, bundle=bundle, **overrides)
    with mock.patch.object(sys, "excepthook"):
        workflow.initialize()
        workflow.run()
        workflow.finalize()
    return workflow


def _workflow(run_id: str, config: str, *, bundle: Path, **overrides: Any) -> ConfigWorkflow:
    # Two classes, and a method that labels by boundaries.
    forced = {"force": True} if run_id == "unlearn" else {}
    return ConfigWorkflow(
        run_id=run_id,
        logging_file=False,
        workflow_type="train",
        # MONAI puts one override into another, such as a setting of the method into the method.
        **copy.deepcopy({"config_file": str(bundle / "configs" / config), **TINY, **forced, **overrides}),
    )
