"""Two bundles of others, as MONAI's model zoo has them: JSON configs, scripts, weights."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path

METADATA = {
    "version": "1.0.0",
    "name": "Lungs",
    "task": "Reading lungs",
    "authors": "Others",
    "description": "Reads lungs.",
    "eval_metrics": {"mean_dice": 0.9},
    "network_data_format": {
        "inputs": {"image": {"num_channels": 1, "value_range": [0, 1]}},
        "outputs": {"pred": {"channel_def": {"0": "background", "1": "nodule"}}},
    },
}
INFERENCE = {
    "imports": ["$import os"],
    "size": [96, 96],
    "loader": {"_target_": "LoadImaged"},
    "preprocessing": {"_target_": "Compose", "transforms": ["@loader", {"spatial_size": "$tuple(@size)"}]},
    "epochs": 3,
}


def weights(shift: float = 0.0) -> dict[str, torch.Tensor]:
    """A state dict of two layers, of which the second one is moved."""
    return {"first.weight": torch.ones(2, 2), "second.weight": torch.full((4,), 2.0) + shift}


def write_bundle(
    root: Path,
    *,
    metadata: dict[str, Any] | None = None,
    inference: dict[str, Any] | None = None,
    state: object = None,
    card: object = None,
) -> Path:
    """Write a bundle; what is given replaces what it has by default."""
    for name in ("configs", "models", "scripts", "docs"):
        (root / name).mkdir(parents=True)
    found = {**copy.deepcopy(METADATA), **(metadata or {})}
    (root / "configs" / "metadata.json").write_text(json.dumps(found), encoding="utf-8")
    (root / "configs" / "inference.json").write_text(json.dumps({**INFERENCE, **(inference or {})}), encoding="utf-8")
    torch.save(weights() if state is None else state, root / "models" / "model.pt")
    (root / "scripts" / "net.py").write_text("import os\n", encoding="utf-8")
    if card is not None:
        (root / "docs" / "model_card_diff.json").write_text(json.dumps(card), encoding="utf-8")
    return root
