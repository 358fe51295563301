from __future__ import annotations

import json

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.reports.compare import compare
from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.vocabulary.fields import Kind

COLUMNS = {"device": ["old", "old", "new", None]}
LIST = "value_sets: {{gone: [{}, p03]}}\n"


@pytest.fixture
def index(tmp_path):
    return make_index(tmp_path / "index", COLUMNS, {"device": Kind.TEXT})


def _frozen(spec, index):
    return Frozen.of(spec.resolve(index))


def test_frozen_specs_that_are_whole_are_compared_as_specs(index):
    first, second = make_spec("[device == old, exists(device)]"), make_spec("device == new", "scope: patient\n")
    expected = compare(first, second, index)
    for pair in ((_frozen(first, index), second), (first, _frozen(second, index))):
        found = compare(*pair, index)
        assert (found["changes"], found["rules"], found["images"]) == tuple(
            expected[key] for key in ("changes", "rules", "images")
        )
        assert found["patients"] == expected["patients"]


def test_what_a_manifest_leaves_out_shows_in_the_digests_alone(index):
    first, second = (make_spec("patient in @gone", LIST.format(name)) for name in ("p00", "p01"))
    found = compare(_frozen(first, index), second, index)
    assert found["rules"] == {"both": ["patient in @gone"], "only_a": [], "only_b": []}
    assert found["changes"] == [{"key": "digest", "a": first.digest, "b": second.digest, "values_hidden": True}]
    assert found["moved"] == {"images": 2, "patients": 2}
    assert compare(_frozen(first, index), first, index)["changes"] == []


def test_other_keys_are_named_beside_what_is_left_out(index):
    first = make_spec("patient in @gone", LIST.format("p00"))
    second = make_spec("patient in @gone and device == old", LIST.format("p01"))
    found = compare(_frozen(first, index), _frozen(second, index), None)
    assert [change["key"] for change in found["changes"]] == ["forget"]
    assert found["rules"]["only_b"] == ["device == old"]
    assert not {"p00", "p01"} & set(json.dumps(found).replace('"', " ").split())
