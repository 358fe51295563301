"""Evidence as a run makes it, from counts: a fixture of several test modules."""

from __future__ import annotations

from typing import Any

import torch

from monai_unlearn.evaluation import Predictions, accuracy_table, compare, gaps
from monai_unlearn.evaluation.findings import forgetting, recommend

N = 100
CLASSES = ("a", "b")


def subset(correct: int, n: int = N) -> Predictions:
    """A subset in which the first `correct` of n images are read rightly, classes in turn."""
    labels = torch.arange(n) % 2
    read = torch.where(torch.arange(n) < correct, labels, 1 - labels)
    return Predictions(logits=torch.eye(2)[read], labels=labels)


def evidence(
    *, share: float | None = 0.1, objective: str = "match_reference", recorded: bool = True, **correct: dict[str, int]
) -> dict[str, Any]:
    """Build evidence from `model={"forget": right test images, "remain": …}`; train subsets are the same."""
    predictions = {
        model: {(part, split): subset(value) for part, value in parts.items() for split in ("train", "test")}
        for model, parts in correct.items()
    }
    models = {name: accuracy_table(found, CLASSES) for name, found in predictions.items()}
    reference = models.get("reference")
    found: dict[str, Any] = {
        "schema_version": 1,
        "objective": objective,
        "models": models,
        "paired": compare(predictions["original"], predictions["revised"]),
        "gaps_to_reference": {
            part: {split: gaps(value, reference[part][split]) for split, value in splits.items()}
            for part, splits in models["revised"].items()
        }
        if reference
        else {},
        "forgetting": forgetting(models, has_batch_norm="revised_recalibrated" in models),
        "cost": {
            "seconds": {"unlearning": 1.0, "retraining": 10.0 if reference else None},
            "gradient_evaluations": {"unlearning": 100, "retraining": 1000 if reference else None},
            "share_of_retraining_gradients": share if reference else None,
        },
        "reference_is_recorded": recorded,
        "criteria": [],
        "accepted": True,
        "warnings": [],
    }
    found["recommendation"] = recommend(found)
    return found
