from __future__ import annotations

import tempfile
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
from attacker import Attacker
from cohort_index import HEAD, make_index, make_spec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.reports.compare import compare, suppress_comparison
from monai_unlearn.cohort.reports.places import PLACES
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.errors import CohortError, SpecError
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"device": Kind.TEXT, "age": Kind.AGE}
COLUMNS = {
    "device": ["old", "old", "new", "new", None, "old"],
    "age": [30.0, 70.0, 30.0, 70.0, 50.0, None],
    "patient": ["p0", "p0", "p1", "p2", "p2", None],
}


@pytest.fixture
def index(tmp_path):
    return make_index(tmp_path / "index", COLUMNS, KINDS)


def _zeros(**cells):
    return {a: {b: cells.get(f"{a}_{b}", 0) for b in PLACES} for a in PLACES}


def test_every_image_is_counted_once_and_patients_once_per_place(index):
    found = compare(make_spec("device == old"), make_spec("device == old and age > 45"), index)
    assert found["images"] == _zeros(
        forget_forget=1, forget_remain=1, forget_undetermined=1, remain_remain=2, undetermined_undetermined=1
    )
    # An image without a patient counts as no patient.
    assert found["patients"] == _zeros(forget_forget=1, forget_remain=1, remain_remain=2, undetermined_undetermined=1)
    assert found["moved"] == {"images": 2, "patients": 1}
    assert found["a"]["images"] == {"forget": 3, "remain": 2, "undetermined": 1}
    assert found["a"]["refused"] is found["b"]["refused"] is None
    assert found["index_digest"] == index.digest
    assert "image_ids" not in found


def test_a_population_leaves_images_outside(index):
    found = compare(make_spec("device == old"), make_spec("device == old", "population: age > 45\n"), index)
    assert found["images"]["forget"]["outside"] == 1
    assert found["images"]["remain"]["outside"] == 1
    back = compare(make_spec("device == old", "population: age > 45\n"), make_spec("device == old"), index)
    assert back["images"]["outside"] == {"forget": 1, "remain": 1, "undetermined": 0, "outside": 0}


def test_the_images_that_move_are_named_when_asked_for(index):
    found = compare(make_spec("device == old"), make_spec("device == old and age > 45"), index, listed=True)
    assert found["image_ids"] == [
        {"from": "forget", "to": "remain", "image_ids": ["i00"]},
        {"from": "forget", "to": "undetermined", "image_ids": ["i05"]},
    ]
    same = compare(make_spec("device == old"), make_spec("device == old"), index, listed=True)
    assert same["image_ids"] == []
    assert same["moved"] == {"images": 0, "patients": 0}


def test_a_refused_cohort_is_compared_and_the_reason_shown(index):
    refused = CohortSpec.parse(HEAD + "forget: device == none\n", source="b.yaml")
    found = compare(make_spec("device == old"), refused, index)
    assert found["images"]["forget"]["remain"] == 3
    assert found["a"]["refused"] is None
    assert found["b"]["refused"].startswith("b.yaml: the forget part of 'test' is empty")
    assert compare(refused, make_spec("device == old"), index)["a"]["refused"] is not None


def test_a_spec_that_does_not_fit_the_index_is_an_error(index):
    with pytest.raises(SpecError, match="camera"):
        compare(make_spec("device == old"), make_spec("camera == old"), index)


def test_specs_are_compared_key_by_key_and_rule_by_rule(index):
    second = CohortSpec.parse(
        HEAD.replace("test", "other")
        + "forget: [age > 45, device == old]\nscope: patient\nsample: {fraction: 0.5, seed: 3}\n"
    )
    found = compare(make_spec("device == old and age > 40 and age > 45"), second, index)
    assert found["rules"] == {"both": ["device == old", "age > 45"], "only_a": ["age > 40"], "only_b": []}
    changes = {change["key"]: (change["a"], change["b"]) for change in found["changes"]}
    assert changes == {
        "name": ("test", "other"),
        "forget": ("device == old and age > 40 and age > 45", "age > 45 and device == old"),
        "scope": ("image", "patient"),
        "sample.fraction": (None, 0.5),
        "sample.by": (None, "image"),
        "sample.seed": (None, 3),
    }


def test_values_that_identify_somebody_are_compared_and_not_shown(index):
    first = make_spec("patient in [secret1, secret2] or patient in @list", "value_sets: {list: [secret3]}\n")
    second = make_spec("patient in [secret1, secret4] or patient in @list", "value_sets: {list: [secret5, secret6]}\n")
    found = compare(first, second, index)
    assert "secret" not in str(found)
    changes = {change.pop("key"): change for change in found["changes"]}
    text = "patient in [… 2 values] or patient in @list"
    assert changes["forget"] == {"a": text, "b": text, "values_hidden": True}
    assert changes["value_sets.list"] == {"a": "… 1 value", "b": "… 2 values", "values_hidden": False}
    assert found["rules"] == {"both": [], "only_a": [text], "only_b": [text]}


def test_small_counts_are_suppressed_in_numbers_and_texts(index):
    first = make_spec("device == old", "sample: {count: 2}\n")
    second = CohortSpec.parse(HEAD + "forget: patient in [p0]\nexpect: {images: {min: 3}}\n", source="/7/b.yaml")
    comparison = compare(first, second, index)
    found = suppress_comparison(comparison, below=5)
    assert found["suppressed_below"] == 5
    assert found["a"]["images"]["forget"] == "<5"
    assert found["images"]["outside"] == dict.fromkeys(PLACES, 0)
    assert {type(count) for cells in found["images"].values() for count in cells.values() if count} == {str}
    assert found["b"]["refused"].startswith("/7/b.yaml: expected at least … images")
    assert found["rules"]["only_b"] == ["patient in [… values]"]
    changes = {change["key"]: (change["a"], change["b"]) for change in found["changes"]}
    assert changes["sample.count"] == ("…", None)
    assert changes["sample.seed"] == (0, None)
    assert changes["expect.images.min"] == (None, 3)


def test_suppressed_counts_exclude_naming_the_images(index):
    comparison = compare(make_spec("device == old"), make_spec("device == new"), index, listed=True)
    with pytest.raises(CohortError, match="--list names every image"):
        suppress_comparison(comparison, below=5)
    with pytest.raises(CohortError, match="expected at least 3, got 2"):
        suppress_comparison({key: value for key, value in comparison.items() if key != "image_ids"}, below=2)


rows = st.lists(
    st.tuples(st.sampled_from(["old", "new", None]), st.sampled_from([30.0, 50.0, 70.0, None]), st.integers(0, 7)),
    min_size=1,
    max_size=40,
)
SPECS = [
    make_spec("device == old"),
    make_spec("device == old and age > 45"),
    make_spec("device == old", "scope: patient\n"),
    make_spec("age > 45", "population: exists(device)\n"),
]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(rows, st.sampled_from(SPECS), st.sampled_from(SPECS), st.sampled_from([3, 5, 8]))
def test_counts_are_those_of_pandas_and_suppressed_ones_cannot_be_worked_out(values, first, second, below):
    devices, ages, patients = zip(*values, strict=True)
    columns = {"device": devices, "age": ages, "patient": [f"p{number}" for number in patients]}
    with tempfile.TemporaryDirectory() as folder:
        index = make_index(Path(folder) / "i", columns, KINDS)
        found = compare(first, second, index)
        parts = [_parts(spec, index, len(values)) for spec in (first, second)]
    frame = pd.DataFrame({"a": parts[0], "b": parts[1], "patient": columns["patient"]})
    for a, b in product(PLACES, PLACES):
        cell = frame[(frame["a"] == a) & (frame["b"] == b)]
        assert (found["images"][a][b], found["patients"][a][b]) == (len(cell), cell["patient"].nunique())
    moved = frame[frame["a"] != frame["b"]]
    assert found["moved"] == {"images": len(moved), "patients": moved["patient"].nunique()}
    shown = suppress_comparison(found, below=below)
    truth, sums = _known(found)
    visible, _ = _known(shown)
    assert Attacker(truth, visible, sums).solved() == []


def _parts(spec, index, images):
    ids = resolve_unguarded(spec, index).image_ids
    found = {name: part for part, names in ids.items() for name in names}
    return [found.get(f"i{number:02d}", "outside") for number in range(images)]


def _known(found):
    """Return the counts of a comparison by name, and what everybody knows of them."""
    counts = {(unit, a, b): found[unit][a][b] for unit in ("images", "patients") for a in PLACES for b in PLACES}
    wholes = {}
    for unit in ("images", "patients"):
        for part in PLACES[:3]:
            wholes[unit, "a", part] = [(unit, part, other) for other in PLACES]
            wholes[unit, "b", part] = [(unit, other, part) for other in PLACES]
            counts |= {(unit, side, part): found[side][unit][part] for side in "ab"}
        wholes[unit, "moved"] = [(unit, a, b) for a in PLACES for b in PLACES if a != b]
        counts[unit, "moved"] = found["moved"][unit]
    sums = [({whole: 1, **dict.fromkeys(cells, -1)}, True) for whole, cells in wholes.items() if whole[0] == "images"]
    for whole, cells in wholes.items():
        if whole[0] == "patients":
            sums += [
                ({**dict.fromkeys(cells, 1), whole: -1}, False),
                *(({whole: 1, cell: -1}, False) for cell in cells),
            ]
    sums += [({("images", *key[1:]): 1, key: -1}, False) for key in counts if key[0] == "patients"]
    return counts, sums
