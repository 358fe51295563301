from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from attacker import Attacker
from cohort_index import make_index, make_spec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monai_unlearn.cohort.reports.suppress_preview import preview_for_others, suppress_preview
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.parts import PARTS

KINDS = {"device": Kind.TEXT, "age": Kind.AGE, "diagnosis": Kind.TEXT}


def _index(directory, *, old, new, missing=0, classes=None):
    devices = ["old"] * old + ["new"] * new + [None] * missing
    columns = {"device": devices, "diagnosis": classes or ["x"] * len(devices), "age": [50.0] * len(devices)}
    return make_index(directory, columns, KINDS, label="diagnosis")


def _cohort(directory, forget="device == old", more="", **counts):
    return resolve_unguarded(make_spec(forget, more), _index(directory, **counts))


def test_small_counts_and_what_would_give_them_away(tmp_path):
    cohort = _cohort(tmp_path, old=20, new=30, missing=2)
    preview, shown = cohort.preview(), suppress_preview(cohort, below=5)
    assert shown["images"] == {"forget": 20, "remain": 30, "undetermined": "<5"}
    first, second = shown["attrition"]
    # 20 + 30 + 2: how many images can be read would tell how many are undetermined.
    assert (first["images_in"], first["images_out"], second["images_in"]) == ("hidden", "hidden", "hidden")
    assert (second["images_out"], second["images_unknown"]) == (20, "<5")
    assert shown["warnings"] == ["… images are undetermined and used for neither part."]
    assert shown["suppressed_below"] == 5
    assert shown.keys() == {*preview, "suppressed_below"}
    assert cohort.preview()["images"]["undetermined"] == 2


def test_without_small_counts_nothing_is_hidden(tmp_path):
    cohort = _cohort(tmp_path, old=20, new=30, missing=5)
    preview, shown = cohort.preview(), suppress_preview(cohort, below=5)
    assert {key: shown[key] for key in ("images", "patients", "attrition", "classes")} == {
        key: preview[key] for key in ("images", "patients", "attrition", "classes")
    }


def test_unknown_images_of_the_rules_that_add_up_to_the_undetermined_ones_are_protected(tmp_path):
    columns = {"device": [None] * 3 + ["old"] * 36 + ["new"] * 40, "age": [50.0] * 33 + [None] * 6 + [50.0] * 40}
    index = make_index(tmp_path, columns, KINDS)
    cohort = resolve_unguarded(make_spec("device == old and age > 45"), index)
    preview = cohort.preview()
    assert [row["images_unknown"] for row in preview["attrition"]] == [0, 3, 6]
    assert preview["images"]["undetermined"] == 9
    shown = suppress_preview(cohort, below=5)
    assert shown["attrition"][1]["images_unknown"] == "<5"
    assert "hidden" in {shown["attrition"][2]["images_unknown"], shown["images"]["undetermined"]}


def test_a_class_is_hidden_together_with_another_and_zeros_are_shown(tmp_path):
    classes = ["x"] * 12 + ["y"] * 7 + ["z"] + ["x"] * 30
    shown = suppress_preview(_cohort(tmp_path, old=20, new=30, classes=classes), below=5)
    assert shown["images"]["forget"] == 20
    assert {name: cells["forget"] for name, cells in shown["classes"].items()} == {"x": 12, "y": "hidden", "z": "<5"}
    assert {name: cells["remain"] for name, cells in shown["classes"].items()} == {"x": 30, "y": 0, "z": 0}
    assert shown["classes_emptied"] == ["y", "z"]
    assert "The class z has no image left in the remain part." in shown["warnings"]


def test_a_step_that_removes_few_images_is_hidden(tmp_path):
    shown = suppress_preview(_cohort(tmp_path, "device == old", "population: age > 1\n", old=20, new=30), below=5)
    assert shown["attrition"][1]["images_out"] == 50
    columns = {"device": ["old"] * 20 + ["new"] * 30, "age": [50.0] * 48 + [0.0] * 2}
    index = make_index(tmp_path / "young", columns, KINDS)
    shown = suppress_preview(resolve_unguarded(make_spec("device == old", "population: age > 1\n"), index), below=5)
    # 50 and then 48 would say that two are at most one year old.
    assert "hidden" in {shown["attrition"][1]["images_in"], shown["attrition"][1]["images_out"]}


def test_no_text_gives_a_count_away(tmp_path):
    cohort = _cohort(tmp_path, "patient in [p01, p02, p40]", "sample: {count: 7, by: image}\n", old=20, new=30)
    text = json.dumps(suppress_preview(cohort, below=5), ensure_ascii=False)
    assert "sample: count 7 by image" in json.dumps(cohort.preview())
    assert "sample: count … by image, seed 0" in text
    assert "patient in [… values]" in text
    assert "The sample asks for … (image), but the rules select only …." in text


def test_numbers_of_the_spec_and_of_names_are_shown(tmp_path):
    classes = ["grade 2"] * 20 + ["x"] * 30
    cohort = _cohort(tmp_path, "device == old and age > 11", "unknown: forget\n", old=20, new=30, classes=classes)
    shown = suppress_preview(cohort, below=5)
    assert [row["rule"] for row in shown["attrition"]][1:] == ["device == old", "age > 11", "unknown: forget"]
    assert "The class grade 2 has no image left in the remain part." in shown["warnings"]


def test_the_strata_of_a_sample_are_hidden(tmp_path):
    more = "sample: {count: 7, by: image, stratify: diagnosis}\n"
    shown = suppress_preview(_cohort(tmp_path, more=more, old=20, new=30), below=5)
    assert shown["strata"] == {
        "count": "hidden",
        "empty": 0,
        "least_share": "hidden",
        "largest_share": "hidden",
        "images_without_value": 0,
    }


@pytest.mark.parametrize("below", [-1, 0, 2])
def test_a_limit_that_hides_nothing_is_refused(below, tmp_path):
    with pytest.raises(CohortError, match=f"expected at least 3, got {below}"):
        suppress_preview(_cohort(tmp_path, old=2, new=3), below=below)
    with pytest.raises(CohortError, match=f"expected at least 3, got {below}"):
        preview_for_others(make_spec("device == old"), _index(tmp_path / "i", old=2, new=3), below=below)


def test_a_refused_cohort_is_refused_without_its_counts(tmp_path):
    spec = make_spec("device == old", "expect: {images: {min: 41}}\n")
    with pytest.raises(CohortError, match="expected at least … images") as refused:
        preview_for_others(spec, _index(tmp_path, old=13, new=30), below=5)
    assert not {"41", "13", "30"} & set(str(refused.value).replace(".", " ").split())
    assert preview_for_others(make_spec("device == old"), _index(tmp_path / "2", old=13, new=30), below=5)["images"]


def test_how_many_patients_of_a_list_occur_is_no_way_around(tmp_path):
    names = [f"p{number:02d}" for number in range(9)]
    listed = ", ".join([*names, "x1", "x2", "3", "04"])
    cohort = _cohort(tmp_path, f"patient in [{listed}]", old=4, new=30)
    entry = cohort.preview()["value_lists"][0]
    assert (entry["list"], entry["values"], entry["matched"]) == ("[… 13 values]", 13, 9)
    assert (entry["near"]["affix"], entry["near"]["leading_zeros"]) == (2, 0)
    (shown,) = suppress_preview(cohort, below=5)["value_lists"]
    # 13 and 9 would say that four are not here.
    assert "hidden" in {shown["values"], shown["matched"]}
    assert shown["near"] == {
        "case": 0,
        "spaces": 0,
        "compatibility": 0,
        "leading_zeros": 0,
        "decimal": 0,
        "affix": "<5",
    }
    assert (shown["list"], shown["field"], shown["absent"]) == ("[… values]", "patient", 0)


# An attacker knows what the words of a preview mean. The following is written from that, not from the code.


def _known(preview):  # noqa: C901, PLR0912
    """Return the counts of a preview by name, where each is shown, and the sums that they are part of."""
    places, sums = {}, []

    def less(small, *large):
        sums.append(({**dict.fromkeys(large, 1), small: -1}, False))

    rows = preview["attrition"]
    for number, row in enumerate(rows):
        for unit in ("images", "studies", "patients"):
            places[unit, number] = ("attrition", number, f"{unit}_in")
            places[unit, number + 1] = ("attrition", number, f"{unit}_out")
            steps = [(unit, number), (unit, number + 1)]
            less(*(steps if row["rule"].startswith(("scope:", "unknown:")) else steps[::-1]))
        places["unknown", number] = ("attrition", number, "images_unknown")
        if row["rule"].startswith(("device", "age", "population", "exists", "patient")):
            less(("unknown", number), ("images", number))
            sums.append(({("images", number): 1, ("images", number + 1): -1, ("unknown", number): -1}, False))
    for number in range(len(rows) + 1):
        less(("studies", number), ("images", number))
        less(("patients", number), ("studies", number))
    last = len(rows)
    names = {
        unit: {"forget": (unit, last), **{part: (unit, part) for part in PARTS[1:]}} for unit in ("images", "patients")
    }
    for unit, keys in names.items():
        places.update({key: (unit, part) for part, key in keys.items()})
    images, patients = names["images"], names["patients"]
    for part in PARTS:
        less(patients[part], images[part])
        less(patients[part], ("patients", 1))
    places["both"] = ("patients_in_both",)
    less("both", patients["forget"])
    less("both", patients["remain"])
    sums.append(({("patients", 1): 1, "both": 1, patients["forget"]: -1, patients["remain"]: -1}, False))
    if rows[1]["rule"].startswith("population"):
        sums.append(({("images", 1): 1, **dict.fromkeys(images.values(), -1)}, False))
    else:
        sums.append(({("images", 1): 1, **dict.fromkeys(images.values(), -1)}, True))
        sums.append(({**dict.fromkeys(patients.values(), 1), "both": -1, ("patients", 1): -1}, False))
    for part in PARTS:
        for name in preview["classes"]:
            places[name, part] = ("classes", name, part)
        if preview["classes"]:
            sums.append(({images[part]: 1, **{(name, part): -1 for name in preview["classes"]}}, True))
    for number, entry in enumerate(preview["value_lists"]):
        keys = {name: (name, number) for name in ("values", "matched", "absent")}
        places.update({key: ("value_lists", number, name) for name, key in keys.items()})
        places.update({(kind, number): ("value_lists", number, "near", kind) for kind in entry["near"]})
        sums.append(({keys["values"]: 1, keys["matched"]: -1, keys["absent"]: -1}, False))
        near = dict.fromkeys(((kind, number) for kind in entry["near"]), -1)
        sums.append(({keys["values"]: 1, keys["matched"]: -1, **near}, False))
        if rows[1]["rule"].startswith("patient"):
            # Every value that occurs is a patient, and the rule lets through these patients alone.
            sums.append(({keys["matched"]: 1, ("patients", 2): -1}, True))
    return places, sums


def _at(document, path):
    for step in path:
        document = document[step]
    return document


columns = st.lists(
    st.tuples(
        st.sampled_from(["old", "old", "new", "new", "new", None]),
        st.sampled_from(["x", "x", "y", "z", None]),
        st.sampled_from([0.0, 40.0, 50.0, 60.0, 70.0, None]),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=40,
)
RULES = [
    "device == old",
    "device == old and age > 45",
    "age > 45 and device == old and exists(diagnosis)",
    "patient in [p0, p1, p2, p3, P4, '5', p06, p10, p11]",
    "patient in [p0, p1, p2, p3, p4, p5, p6] and device == old",
]
MORE = [
    "",
    "scope: patient\n",
    "unknown: forget\n",
    "unknown: remain\n",
    "sample: {count: 3}\n",
    "population: age > 1\n",
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(columns, st.sampled_from(RULES), st.sampled_from(MORE), st.sampled_from([3, 5, 8]), st.booleans())
def test_no_suppressed_count_of_a_preview_can_be_worked_out(rows, rule, more, below, labelled):
    devices, diagnoses, ages, patients = zip(*rows, strict=True)
    values = {"device": devices, "diagnosis": diagnoses, "age": ages, "patient": [f"p{n}" for n in patients]}
    with tempfile.TemporaryDirectory() as folder:
        index = make_index(Path(folder) / "i", values, KINDS, label="diagnosis" if labelled else None)
        cohort = resolve_unguarded(make_spec(rule, more), index)
        preview, shown = cohort.preview(), suppress_preview(cohort, below=below)
    places, sums = _known(preview)
    truth = {key: _at(preview, path) for key, path in places.items()}
    visible = {key: _at(shown, path) for key, path in places.items()}
    values = [(sum(weight * truth[key] for key, weight in form.items()), exact) for form, exact in sums]
    assert all(value == 0 if exact else value >= 0 for value, exact in values)
    assert all(count == 0 or count >= below for count in visible.values() if isinstance(count, int))
    attacker = Attacker(truth, visible, sums)
    assert attacker.solved() == []
    for number, row in enumerate(preview["attrition"]):
        for unit in ("images", "studies", "patients"):
            if 0 < abs(row[f"{unit}_in"] - row[f"{unit}_out"]) < below:
                assert not attacker.solves({(unit, number): 1, (unit, number + 1): -1})
