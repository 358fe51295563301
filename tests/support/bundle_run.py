"""Runs the fundus bundle in this process, on the tiny cohort."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from unittest import mock

from monai.bundle import ConfigWorkflow

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "bundles" / "fundus_classifier"
TINY = {"class_names": ["up", "down"], "image_size": [16, 16], "batch_size": 8, "device": "cpu"}

# Settings with which tests of the engine count steps and costs, independent of the bundle's own.
PLAIN = {
    "phases": None,
    "max_epochs": 1,
    "remain_batch_size": 32,
    "learning_rate": 0.0005,
    "eval_interval": 10,
    "method::epsilon": 0.03,
    "method::labels": "hard",
    "method::unflipped": "keep",
    "method::remain_weight": 1.0,
    "method::batch_norm": "frozen",
}


def run(run_id: str, config: str, *, bundle: Path = BUNDLE, **overrides: Any) -> ConfigWorkflow:
    """Run one id of one config; the process's own error reporting is restored afterwards."""
    workflow = ConfigWorkflow(
        run_id=run_id,
        logging_file=False,
        workflow_type="train",
        **{"config_file": str(bundle / "configs" / config), **TINY, **overrides},
    )
    with mock.patch.object(sys, "excepthook"):
        workflow.initialize()
        workflow.run()
        workflow.finalize()
    return workflow
