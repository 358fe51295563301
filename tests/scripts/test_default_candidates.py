"""What a default is chosen by: distances without a test image, and their table."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from script import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import candidate_tables
import default_candidates

from monai_unlearn.evaluation.prediction_table import Network, PredictionTable

SPLITS = ("train", "validation", "test")


def predictions(*, test_is_far):
    """Two retrained networks and a revised one, which is like them but on test images."""
    rows = [(part, split, place) for part in ("forget", "remain") for split in SPLITS for place in range(6)]
    frame = pd.DataFrame(
        {
            "image_id": [f"{part}{split}{place}" for part, split, place in rows],
            "patient": None,
            "part": [part for part, _, _ in rows],
            "split": [split for _, split, _ in rows],
            "label": ["a", "b", "c"] * 12,
        }
    )
    draws = np.random.default_rng(0).normal(size=(3, len(rows), 3))
    logits = {"original": draws[0], "revised": draws[0].copy(), "reference-1": draws[1], "reference-2": draws[2]}
    if test_is_far:
        logits["revised"][frame["split"].to_numpy() == "test"] += [30, 0, -30]
    networks = [Network(name="original", role="original"), Network(name="revised", role="revised")]
    networks += [Network(name=f"reference-{seed}", role="reference", seed=seed) for seed in (1, 2)]
    return PredictionTable(frame=frame, logits=logits, class_names=("a", "b", "c"), networks=tuple(networks))


def test_no_test_image_has_a_say():
    assert default_candidates.distances(predictions(test_is_far=True)) == default_candidates.distances(
        predictions(test_is_far=False)
    )


def test_a_retrained_network_is_nearer_than_another():
    table = predictions(test_is_far=False)
    table.logits["revised"][:] = table.logits["reference-1"]
    near, far = default_candidates.distances(table), default_candidates.distances(predictions(test_is_far=False))
    assert near["forget_train"] == pytest.approx(0.5, abs=0.1)  # half of the retrained networks are itself
    assert near["forget_train"] < far["forget_train"]


def test_every_candidate_is_a_setting_of_a_method_that_is_there():
    from monai_unlearn.methods import registered

    for case in default_candidates.CASES:
        for method, settings in default_candidates.candidates(case).values():
            _, build = registered()[method]
            build(**{key.partition("::")[2]: one for key, one in settings.items() if key.startswith("method::")})


def test_the_table_has_means_and_the_worst_of_a_kind():
    def case(kind, train):
        row = {"budget": 0.1, "candidate": "kept 0.5", "objective": 1.0, "forget_train": train}
        return {"kind": kind, "rows": [{**row, "forget_validation": 1.0, "remain_validation": 2.0}]}

    documents = [case("device", 1.0), case("class", 3.0), case("patients", 4.0), case("part_of_class", 1.0)]
    lines = candidate_tables.candidates([*documents, case("labels", 5.0)])[2:]
    assert lines == [
        "| a whole class (1) | kept 0.5 | 3.00 | 1.00 | 2.00 | 3.00 |",
        "| a device (1) | kept 0.5 | 1.00 | 1.00 | 2.00 | 1.00 |",
        "| part of a class, patients (2) | kept 0.5 | 2.00 | 1.00 | 2.00 | 4.00 |",
        "| wrong labels (1) | kept 0.5 | 5.00 | 1.00 | 2.00 | 5.00 |",
    ]
