"""Evidence as a run makes it, from counts: a fixture of several test modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import nn

from monai_unlearn.engine.evidence import Cost, RunFacts, assemble
from monai_unlearn.engine.reference import Reference
from monai_unlearn.evaluation import Network, Predictions, PredictionTable
from monai_unlearn.evaluation.decision import Decision
from monai_unlearn.evaluation.prediction_table import RECALIBRATED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.evaluation import SubsetPredictions

N = 100
CLASSES = ("a", "b")
RETRAINING = 1000


def subset(correct: int, n: int = N) -> Predictions:
    """A subset in which the first `correct` of n images are classified correctly, classes in turn."""
    labels = torch.arange(n) % 2
    predicted = torch.where(torch.arange(n) < correct, labels, 1 - labels)
    return Predictions(logits=torch.eye(2)[predicted], labels=labels, healthy=(0,))


def evidence(
    *,
    share: float = 0.1,
    objective: str = "match_reference",
    decision: Mapping[str, Any] | None = None,
    recorded: bool = True,
    **correct: dict[str, int],
) -> dict[str, Any]:
    """Assemble evidence from `model={"forget": images classified correctly, "remain": …}`, in train and test alike.

    Args:
        share: Share of the gradient evaluations of retraining that unlearning took, where there is a reference.
        objective: What the run aims at.
        decision: Further settings of the section `decision`.
        recorded: Whether the reference has a training record.
        correct: Of each model and part, how many of its N images are classified correctly.
    """
    models = {
        model: {(part, split): subset(value) for part, value in parts.items() for split in ("train", "test")}
        for model, parts in correct.items()
    }
    record = {"parts": ["remain"]} if recorded else {}
    reference = Reference(network=nn.Identity(), source="retrain", record=record) if "reference" in models else None
    config = {"objective": objective, "healthy_classes": ["a"], **(decision or {})}
    facts = RunFacts(
        decision=Decision.from_config(config, class_names=CLASSES),
        counts={part: {"train": N, "test": N} for part in ("forget", "remain")},
        method={"name": "psg", "chosen_by": "user", "ground": "the user chose it"},
        cost=Cost(
            search=0,
            updates=round(share * RETRAINING),
            seconds={"updates": 1.0},
            retraining=[RETRAINING] if reference else [],
            retraining_seconds=[10.0] if reference else [],
        ),
        references=[reference] if reference else [],
    )
    return assemble(facts, models, predictions(models, recorded=recorded))


def predictions(models: Mapping[str, SubsetPredictions], *, recorded: bool = True) -> PredictionTable:
    """The same predictions as a table; each image is of a patient of its own."""
    subsets = list(next(iter(models.values())).items())
    rows = [
        {
            "image_id": f"{part}-{split}-{row}",
            "patient": f"{part}-{split}-{row}",
            "part": part,
            "split": split,
            "label": CLASSES[label],
        }
        for (part, split), found in subsets
        for row, label in enumerate(found.labels)
    ]
    networks = [
        Network(
            name=name,
            role="control" if name.endswith(RECALIBRATED) else name.partition("_")[0],
            recorded=recorded or not name.startswith("reference"),
        )
        for name in models
    ]
    logits = {name: torch.cat([found.logits for found in one.values()]).numpy() for name, one in models.items()}
    return PredictionTable(frame=pd.DataFrame(rows), class_names=CLASSES, networks=tuple(networks), logits=logits)
