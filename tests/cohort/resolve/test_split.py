from __future__ import annotations

import hashlib
from collections import Counter
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from monai_unlearn.cohort import SplitRule
from monai_unlearn.cohort.query.answers import CategoricalColumn
from monai_unlearn.errors import DataError
from monai_unlearn.vocabulary.parts import SPLITS

PATIENTS = [f"patient {number}" for number in range(10_000)]
THREE_WAYS = SplitRule(seed=3, test_fraction=0.2, validation_fraction=0.1)


def frame_of(patients, **columns):
    """An index's rows: one image each, named by their order."""
    images = [f"image {number:05d}" for number in range(len(patients))]
    columns = {"image_id": images, "patient": patients, **columns}
    return pd.DataFrame({name: pd.array(values, dtype="string") for name, values in columns.items()})


def expected_split(text, rule):
    """The split of the text that is hashed, by exact fractions."""
    position = Fraction(int(hashlib.sha256(text.encode("utf-8")).hexdigest()[:16], 16), 16**16)
    if position < Fraction(rule.test_fraction):
        return "test"
    held_out = Fraction(rule.test_fraction) + Fraction(rule.validation_fraction)
    return "validation" if position < held_out else "train"


@pytest.mark.parametrize(("test", "validation"), [(0.2, 0.0), (0.2, 0.1), (0.5, 0.3), (0.05, 0.05)])
def test_each_split_has_about_its_fraction(test, validation):
    rule = SplitRule(test_fraction=test, validation_fraction=validation)
    counts = Counter(rule.of(patient) for patient in PATIENTS)
    shares = {split: counts[split] / len(PATIENTS) for split in SPLITS}
    wanted = {"train": 1 - test - validation, "validation": validation, "test": test}
    assert shares == pytest.approx(wanted, abs=0.015)  # three standard deviations of 10,000 draws


def test_without_a_validation_fraction_nothing_is_held_out_for_it():
    assert {SplitRule().of(patient) for patient in PATIENTS} == {"train", "test"}


def test_agrees_with_an_independent_computation():
    assigned = THREE_WAYS.assign(frame_of(PATIENTS))
    assert assigned.tolist() == [expected_split(f"3:{patient}", THREE_WAYS) for patient in PATIENTS]


@pytest.mark.parametrize(
    ("seed", "unit", "first_bits"),
    [(0, "patient-1", 0x33267FB1), (0, "patient-3", 0x463ED82D), (7, "patient-1", 0xD5F3FEEB)],
)
def test_places_are_fixed_forever(seed, unit, first_bits):
    # Digests by sha256sum. A change here would move patients who were tested on into what is trained on.
    place = first_bits / 2**32
    assert SplitRule(seed=seed, test_fraction=place + 1e-9).of(unit) == "test"
    assert SplitRule(seed=seed, test_fraction=place - 1e-9).of(unit) == "train"


def test_added_patients_and_another_order_move_nobody():
    before = frame_of(PATIENTS[:500]).set_index("patient", drop=False)
    after = frame_of(PATIENTS[::-1]).set_index("patient", drop=False)
    assert THREE_WAYS.assign(before).to_dict() == THREE_WAYS.assign(after)[PATIENTS[:500]].to_dict()


def test_a_larger_test_fraction_only_adds():
    small, large = SplitRule(test_fraction=0.2), SplitRule(test_fraction=0.3)
    tested = {patient for patient in PATIENTS if small.of(patient) == "test"}
    assert tested < {patient for patient in PATIENTS if large.of(patient) == "test"}


def test_another_seed_gives_another_assignment():
    one, other = SplitRule(seed=0), SplitRule(seed=1)
    both = sum(one.of(patient) == other.of(patient) == "test" for patient in PATIENTS)
    assert both / len(PATIENTS) == pytest.approx(0.2 * 0.2, abs=0.01)  # as independent draws agree


def test_both_eyes_of_a_patient_stay_together():
    frame = frame_of([patient for patient in PATIENTS[:1000] for _ in ("left", "right")])
    assert THREE_WAYS.assign(frame).groupby(frame["patient"]).nunique().eq(1).all()


def test_images_without_a_patient_are_assigned_one_by_one():
    frame = frame_of([None, "", " ", "\t", "\u00a0"] * 40)
    assigned = THREE_WAYS.assign(frame)
    assert assigned.tolist() == [expected_split(f"3:image:{image}", THREE_WAYS) for image in frame["image_id"]]
    assert set(assigned) == {"train", "validation", "test"}


def test_white_space_is_not_a_patient_who_straddles_splits():
    frame = frame_of([" ", " ", None], split=["train", "test", "test"])
    assert SplitRule().assign(frame).tolist() == ["train", "test", "test"]


def test_rows_keep_their_labels():
    frame = frame_of(["a", "b", "c"]).set_axis([5, 3, 5])
    assert SplitRule().assign(frame).index.tolist() == [5, 3, 5]


def test_an_empty_part_has_no_splits():
    assert SplitRule().assign(frame_of([])).tolist() == []


def test_the_rule_is_rebuilt_from_its_plain_values():
    assert THREE_WAYS.to_dict() == {"seed": 3, "test_fraction": 0.2, "validation_fraction": 0.1}
    assert SplitRule(**THREE_WAYS.to_dict()) == THREE_WAYS


@pytest.mark.parametrize(
    ("spelling", "split"),
    [
        *((split, split) for split in SPLITS),
        ("Train", "train"),
        ("TRAINING", "train"),
        ("Val", "validation"),
        ("VALIDATION", "validation"),
        ("testing", "test"),
    ],
)
def test_a_split_column_decides_in_any_spelling(spelling, split):
    patients = PATIENTS[:50]  # the hash would assign them to both
    assert set(SplitRule().assign(frame_of(patients, split=[spelling] * 50))) == {split}


@pytest.mark.parametrize("gap", [None, "", "holdout"])
def test_a_split_column_with_gaps_is_refused(gap):
    frame = frame_of(["a", "b", "c"], split=["train", gap, gap])
    with pytest.raises(DataError, match=r"expected train, validation or test, got something else for 2 of 3 images"):
        SplitRule().assign(frame)


def test_a_split_column_that_splits_patients_is_refused_without_naming_them():
    frame = frame_of(["Ann", "Ann", "Bob", "Bob"], split=["train", "test", "train", "Training"])
    with pytest.raises(DataError, match=r"puts 1 patient into more than one split") as refused:
        SplitRule().assign(frame)
    assert "Ann" not in str(refused.value)


def test_a_patient_who_straddles_splits_across_parts_is_found():
    forget, remain = frame_of(["Ann"], split=["train"]), frame_of(["Ann"], split=["test"])
    with pytest.raises(DataError, match=r"puts 1 patient into more than one split"):
        SplitRule().assign(pd.concat([forget, remain]))


def test_images_without_a_patient_may_be_in_different_splits():
    frame = frame_of([None, None], split=["train", "test"])
    assert SplitRule().assign(frame).tolist() == ["train", "test"]


@pytest.mark.parametrize(
    "fractions",
    [
        {"test_fraction": 0.0},
        {"test_fraction": 1.0},
        {"test_fraction": -0.2},
        {"test_fraction": float("nan")},
        {"validation_fraction": -0.1},
        {"test_fraction": 0.4, "validation_fraction": 0.6},
    ],
)
def test_fractions_that_leave_no_split_are_refused(fractions):
    with pytest.raises(DataError, match=r"expected 0 < test_fraction < 1 and 0 <= validation_fraction < 1"):
        SplitRule(**fractions)


def test_a_column_of_numbers_is_refused_in_words():
    frame = pd.DataFrame({"image_id": ["a", "b"], "patient": ["p", "q"], "split": [0.0, 4.0]})
    with pytest.raises(DataError, match="expected train, validation or test, got something else for 2 of 2 images"):
        SplitRule().assign(frame)


def test_validation_is_carved_out_of_the_training_patients_of_a_published_split():
    patients = [patient for patient in PATIENTS[:2000] for _ in ("left", "right")]
    published = ["test" if number % 8 < 2 else "train" for number in range(len(patients))]
    frame = frame_of(patients, split=published)
    found = THREE_WAYS.assign(frame)
    assert (found == "test").tolist() == [split == "test" for split in published]
    assert found.groupby(frame["patient"]).nunique().eq(1).all()
    train = frame.loc[frame["split"] == "train", "patient"].unique()
    taken = set(frame.loc[found == "validation", "patient"])
    positions = {p: int(hashlib.sha256(f"3:{p}".encode()).hexdigest()[:16], 16) / 16**16 for p in train}
    assert taken == {patient for patient in train if positions[patient] < 0.1}
    assert len(taken) / len(train) == pytest.approx(0.1, abs=0.025)


def test_a_published_split_with_validation_images_is_kept():
    frame = frame_of(PATIENTS[:6], split=["train", "val", "test", "train", "train", "train"])
    kept = ["train", "validation", "test", "train", "train", "train"]
    assert SplitRule(validation_fraction=0.7).assign(frame).tolist() == kept


def test_without_a_fraction_a_published_split_is_kept():
    frame = frame_of(PATIENTS[:200], split=["train"] * 100 + ["test"] * 100)
    assert SplitRule().assign(frame).tolist() == ["train"] * 100 + ["test"] * 100


def test_splits_as_numbers_are_those_of_the_frame():
    patients = ["p1", None, "p2", " ", "p1", "p3", None]
    frame = frame_of(patients)
    rows = np.array([True, True, True, True, False, True, True])
    column = CategoricalColumn.of(pa.chunked_array([patients]))
    images = pa.array(frame["image_id"].tolist()).filter(pa.array(rows))
    found = THREE_WAYS.assign_codes(column, images, rows)
    assert [SPLITS[number] for number in found] == THREE_WAYS.assign(frame[rows]).tolist()


def test_a_patient_is_hashed_once(monkeypatch):
    hashed = []
    monkeypatch.setattr(SplitRule, "of", lambda _, unit: hashed.append(unit) or "train")
    column = CategoricalColumn.of(pa.chunked_array([["p1", "p1", None, "p2"]]))
    THREE_WAYS.assign_codes(column, pa.array(["a", "b", "c"]), np.array([True, True, True, False]))
    assert hashed == ["p1", "image:c"]
