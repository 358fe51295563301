from __future__ import annotations

import pytest
import torch

from monai_unlearn.evaluation import Predictions, accuracy_table, compare, gap


def predictions(read: list[int], labels: list[int]) -> Predictions:
    return Predictions(logits=torch.eye(2)[torch.tensor(read)], labels=torch.tensor(labels))


BEFORE = {("forget", "test"): predictions([0, 0, 1, 1], [0, 0, 0, 1])}
AFTER = {("forget", "test"): predictions([1, 1, 0, 1], [0, 0, 0, 1])}


def test_table_by_part_and_split():
    table = accuracy_table(BEFORE, ["a", "b"])
    assert table["forget"]["test"]["correct"] == 3


def test_compares_image_by_image():
    assert compare(BEFORE, AFTER)["forget"]["test"] == {"lost": 2, "gained": 1, "p_value": pytest.approx(1.0)}


def test_gap_has_the_sign_of_revised_minus_reference():
    revised, reference = {"n": 50, "correct": 10, "accuracy": 0.2}, {"n": 50, "correct": 40, "accuracy": 0.8}
    found = gap(revised, reference)
    assert found["value"] == pytest.approx(-0.6)
    assert found["interval"][0] < -0.6 < found["interval"][1] < 0


def test_gap_with_no_images_is_unknown():
    nothing = {"n": 0, "correct": 0, "accuracy": None}
    assert gap(nothing, nothing) == {"value": None, "interval": None}
