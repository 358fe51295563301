"""Copies of one image that contradict each other are undetermined, whatever the rules say."""

from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.vocabulary.fields import Kind

CONFLICT = "conflicting_duplicate"


@pytest.fixture
def index(tmp_path):
    """Two contradicting copies, of U1 and U2; a further image of U2, and one of U3."""
    columns = {
        "image_id": ["1", "1#ab", "2", "3"],
        "patient": ["U1", "U2", "U2", "U3"],
        "study": ["s1", "s2", "s2", "s3"],
        "device": ["old", "new", "old", "new"],
        "fault": [CONFLICT, CONFLICT, None, None],
    }
    return make_index(tmp_path / "index", columns, {"device": Kind.TEXT})


def parts(index, forget, more=""):
    return resolve_unguarded(make_spec(forget, more), index).image_ids


@pytest.mark.parametrize("rule", ["device == old", "device != new", "exists(series) and device == old"])
def test_rule_is_unknown_on_both(rule, index):
    found = parts(index, rule, "scope: image\n")
    assert found == {"forget": ["2"], "remain": ["3"], "undetermined": ["1", "1#ab"]}


def test_scope_does_not_reach_them(index):
    found = parts(index, "device == old", "scope: patient\n")
    assert found == {"forget": ["2"], "remain": ["3"], "undetermined": ["1", "1#ab"]}


@pytest.mark.parametrize(
    ("unknown", "forget", "remain", "undetermined"),
    [
        ("forget", ["1", "1#ab", "2"], ["3"], []),
        ("remain", ["2"], ["1", "1#ab", "3"], []),
        ("exclude", ["2"], ["3"], ["1", "1#ab"]),
    ],
)
def test_spec_may_decide_otherwise(unknown, forget, remain, undetermined, index):
    found = parts(index, "device == old", f"scope: image\nunknown: {unknown}\n")
    assert found == {"forget": forget, "remain": remain, "undetermined": undetermined}


def test_they_are_outside_the_population_only_if_both_are(index):
    one = parts(index, "device == old", "scope: image\npopulation: patient != U1\n")
    assert one["undetermined"] == ["1", "1#ab"]
    both = parts(index, "device == old", "scope: image\npopulation: patient == U3\n")
    assert both["undetermined"] == []


def test_fault_is_selectable_and_images_without_one_do_not_have_it(index):
    assert parts(index, "fault == conflicting_duplicate", "scope: image\n")["undetermined"] == ["1", "1#ab"]
    assert parts(index, "fault != conflicting_duplicate", "scope: image\n")["forget"] == ["2", "3"]
    found = parts(index, "missing(fault) and device == old", "scope: image\n")
    assert (found["forget"], found["undetermined"]) == (["2"], ["1", "1#ab"])
