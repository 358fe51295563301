from __future__ import annotations

import itertools

import pandas as pd
import pytest

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import DataError
from monai_unlearn.experiments.alike import Likeness
from monai_unlearn.experiments.draw import draw, given_cohort
from monai_unlearn.index import write_index
from monai_unlearn.vocabulary.fields import Kind

SIZES = {"A": 20, "B": 24, "C": 12, "D": 60, "E": 4}


def index_of(folder, sizes=SIZES):
    rows = [
        {
            "image_id": f"{device}{number:03}{eye}",
            "path": f"{device}{number:03}{eye}.png",
            "patient": f"{device}-{number:03}",
            "ManufacturerModelName": device,
            "diagnosis": ("up", "down")[number % 2],
        }
        for device, size in sizes.items()
        for number in range(size)
        for eye in "LR"
    ]
    kinds = dict.fromkeys(("ManufacturerModelName", "diagnosis"), Kind.TEXT)
    return write_index(pd.DataFrame(rows), folder / "index", kinds=kinds, label="diagnosis")


def spec_of(folder, forget="device == A", reason="device_deprecation", more=""):
    path = folder / "real.yaml"
    path.write_text(f"schema_version: 1\nname: real\nreason: {reason}\nforget: {forget}\n{more}", encoding="utf-8")
    return path


def patients_in(cohort, index):
    return set(cohort.spec.resolve(index).forget["patient"])


def test_other_devices_come_first_then_patients_of_those_that_have_enough(tmp_path):
    index = index_of(tmp_path)
    found = draw(spec_of(tmp_path), index, tmp_path / "specs", count=7)
    assert [one.kind for one in found] == ["another_value"] * 2 + ["patients_of_a_value"] * 5
    devices = [{patient[0] for patient in patients_in(one, index)} for one in found]
    assert devices == [{"B"}, {"C"}, {"B"}, {"D"}, {"B"}, {"D"}, {"B"}]
    assert [one.patients for one in found] == [24, 12, 12, 20, 12, 20, 12]
    # Of one device, nobody is drawn twice before everybody was drawn.
    first, second = (patients_in(found[number], index) for number in (3, 5))
    assert not first & second
    assert len({one.spec.digest for one in found}) == 7


def test_every_draw_is_like_the_real_cohort_and_has_none_of_its_images(tmp_path):
    index, real = index_of(tmp_path), spec_of(tmp_path)
    like = Likeness.of(CohortSpec.read(real).resolve(index))
    for one in draw(real, index, tmp_path / "specs", count=9):
        assert like.differs(one.spec.resolve(index).forget) is None
        assert one.classes == ("down", "up")
        assert one.spec.reason.value == "device_deprecation"


def test_a_larger_count_and_a_second_time_give_the_same_first_draws(tmp_path):
    index, real = index_of(tmp_path), spec_of(tmp_path)
    few = [one.spec.digest for one in draw(real, index, tmp_path / "specs", count=4)]
    more = [one.spec.digest for one in draw(real, index, tmp_path / "specs", count=6)]
    assert more[:4] == few
    other = [one.spec.digest for one in draw(real, index, tmp_path / "other", count=4, seed=1)]
    assert other[:2] == few[:2]
    assert not set(other[2:]) & set(few)


@pytest.mark.parametrize("reason", ["consent_withdrawal", "label_error"])
def test_other_patients_are_drawn_from_those_who_remain(tmp_path, reason):
    index = index_of(tmp_path)
    real = spec_of(tmp_path, "patient in [A-001, A-002, A-003, B-004]", reason)
    found = draw(real, index, tmp_path / "specs", count=5)
    sets = [patients_in(one, index) for one in found]
    assert [len(one) for one in sets] == [4, 4, 4, 4, 4]
    assert {one.kind for one in found} == {"other_patients"}
    assert not any(one & {"A-001", "A-002", "A-003", "B-004"} for one in sets)
    assert all(one != other for one, other in itertools.combinations(sets, 2))
    labels = found[0].spec.resolve(index).forget.drop_duplicates("patient")["diagnosis"]
    assert sorted(labels) == ["down", "down", "up", "up"]
    assert (tmp_path / "specs" / "real-draw-01.drawn.txt").is_file()


def test_sizes_vary_about_the_real_one(tmp_path):
    index = index_of(tmp_path)
    real = spec_of(tmp_path, f"patient in [{', '.join(f'A-{number:03}' for number in range(16))}]", "label_error")
    found = draw(real, index, tmp_path / "specs", count=4)
    assert [one.patients for one in found] == [16, 12, 20, 16]


def test_a_value_that_is_given_is_not_drawn_again(tmp_path):
    index = index_of(tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(spec_of(tmp_path, "device == B").read_text(encoding="utf-8"), encoding="utf-8")
    given = given_cohort(other, index)
    found = draw(spec_of(tmp_path), index, tmp_path / "specs", count=2, given=[given])
    assert [one.kind for one in found] == ["another_value", "patients_of_a_value"]
    assert {patient[0] for patient in patients_in(found[0], index)} == {"C"}


def test_the_list_of_the_real_cohort_is_not_written_again(tmp_path):
    index = index_of(tmp_path)
    more = "value_sets: {withdrawn: [A-001, A-002]}\n"
    real = spec_of(tmp_path, "patient in @withdrawn", "consent_withdrawal", more)
    found = draw(real, index, tmp_path / "specs", count=2)
    assert [set(one.spec.value_sets) for one in found] == [{"drawn"}] * 2
    assert not any("A-001" in path.read_text(encoding="utf-8") for path in (tmp_path / "specs").iterdir())


def test_of_one_class_only_patients_of_that_class_are_drawn(tmp_path):
    index = index_of(tmp_path)
    real = spec_of(tmp_path, "patient in [A-001, A-003]", "label_error")
    found = draw(real, index, tmp_path / "specs", count=3)
    assert {one.classes for one in found} == {("down",)}


def test_an_index_that_does_not_give_so_many_is_said(tmp_path):
    index = index_of(tmp_path, {"A": 20, "B": 18, "C": 11})
    assert len(draw(spec_of(tmp_path), index, tmp_path / "specs", count=2)) == 2
    with pytest.raises(DataError, match=r"expected to draw 3 cohorts like it, but the index gives 2: .*\(20, or half"):
        draw(spec_of(tmp_path), index, tmp_path / "specs", count=3)


def test_patients_that_are_all_needed_cannot_be_drawn_elsewhere(tmp_path):
    index = index_of(tmp_path, {"A": 6, "B": 2})
    real = spec_of(tmp_path, "device == A", "consent_withdrawal")
    with pytest.raises(DataError, match="but the index gives 0"):
        draw(real, index, tmp_path / "specs", count=1)


@pytest.mark.parametrize("rule", ["device in [A, B]", "device == A and exists(device)", "not (device == B)"])
def test_another_rule_needs_given_cohorts(tmp_path, rule):
    index = index_of(tmp_path)
    with pytest.raises(DataError, match="cannot be drawn, since it is neither one value of a field"):
        draw(spec_of(tmp_path, rule), index, tmp_path / "specs", count=1)


def test_a_population_is_kept(tmp_path):
    index = index_of(tmp_path)
    real = spec_of(tmp_path, more="population: diagnosis in @known\nvalue_sets: {known: [up]}\n")
    found = draw(real, index, tmp_path / "specs", count=3)
    assert {one.classes for one in found} == {("up",)}


def test_given_cohorts_must_be_like_the_first(tmp_path):
    index = index_of(tmp_path)
    like = Likeness.of(CohortSpec.read(spec_of(tmp_path)).resolve(index))
    other = tmp_path / "other.yaml"
    other.write_text(spec_of(tmp_path, "device == B").read_text(encoding="utf-8"), encoding="utf-8")
    assert given_cohort(other, index, real=like).kind == "given"
    other.write_text(spec_of(tmp_path, "device == D").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(DataError, match=r"other\.yaml: not a cohort like the first one: it has 60 patients"):
        given_cohort(other, index, real=like)
    assert given_cohort(other, index).patients == 60
