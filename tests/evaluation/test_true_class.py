from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decision_example import binary, decision, everywhere, table
from scipy.stats import t

from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.true_class import true_class

GOOD = everywhere(binary(0.8, 0.8))
SHARES = {"original": everywhere(binary(0.99, 0.99)), "revised": GOOD}
SHARES |= {f"reference-{number}": GOOD for number in range(3)}
TABLE = table(SHARES, patients=60, eyes=2)
ENDPOINTS = decide(decision(), TABLE).to_metrics()["decision"]["endpoints"]
ROWS = {(row["subset"], row["class"]): row for row in true_class(TABLE, ENDPOINTS)}


def by_hand(network, subset, label):
    frame = TABLE.frame.assign(p=TABLE.probabilities(network)[:, TABLE.class_names.index(label)])
    of = frame[(frame["part"] + "_" + frame["split"] == subset) & (frame["label"] == label)]
    return of.groupby("patient")["p"].mean().to_numpy()


def test_means_are_those_of_patients_with_students_interval():
    row = ROWS["forget_test", "sick"]
    assert (row["key"], row["patients"], row["images"]) == ("true_class/forget_test/sick", 60, 120)
    assert [one["role"] for one in row["networks"]] == ["original", "revised", *["reference"] * 3]
    for one in row["networks"]:
        values = by_hand(one["network"], "forget_test", "sick")
        assert one["value"] == pytest.approx(values.mean())
        half = t.ppf(0.975, 59) * values.std(ddof=1) / 60**0.5
        expected = np.clip([values.mean() - half, values.mean() + half], 0, 1)
        assert one["interval"] == pytest.approx(expected.tolist())


def test_target_and_margin_are_those_of_the_endpoint():
    judged = next(row for row in ENDPOINTS if (row["subset"], row["predicted"]) == ("remain_test", "healthy"))
    row = ROWS["remain_test", "healthy"]
    assert (row["target"], row["margin"]) == (judged["target"], judged["margin"])
    assert row["networks"][1]["value"] == pytest.approx(judged["revised"])
    assert ROWS["remain_train", "healthy"]["margin"] is None


def test_few_patients_have_no_interval_and_an_infinite_output_no_value():
    few = true_class(table(SHARES, patients=8), ())
    assert few[0]["networks"][0]["interval"] is None
    assert few[0]["networks"][0]["value"] is not None
    logits = {**TABLE.logits, "revised": np.full_like(TABLE.logits["revised"], np.nan)}
    broken = true_class(replace(TABLE, logits=logits), ())
    assert broken[0]["networks"][1] == {"network": "revised", "role": "revised", "value": None, "interval": None}


def test_a_class_without_images_has_no_row():
    found = true_class(table(SHARES, patients={"forget_test": {"sick": 40}, "remain_test": {"sick": 40}}), ())
    assert [row["key"] for row in found] == ["true_class/forget_test/sick", "true_class/remain_test/sick"]
