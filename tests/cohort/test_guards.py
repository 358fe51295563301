from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.errors import CohortError
from monai_unlearn.fields import Kind


@pytest.fixture
def index(tmp_path):
    columns = {"device": ["old"] * 3 + ["new"] * 6 + [None], "patient": ["a", "a", "b", *"bcdefgh"]}
    return make_index(tmp_path / "index", columns, {"device": Kind.TEXT})


def test_an_empty_forget_part_shows_which_rule_emptied_it(index):
    with pytest.raises(CohortError, match="the forget part of 'test' is empty") as caught:
        make_spec("[device == old, patient == P17]").resolve(index)
    assert str(caught.value).splitlines()[1:] == [
        "Images, rule by rule:",
        "         10 → 10        readable images",
        "         10 → 3         device == old",
        "          3 → 0         patient == …",
    ]


def test_an_empty_remain_part_is_refused(index):
    with pytest.raises(CohortError, match=r"the remain part of 'test' is empty \(1 images are undetermined\)"):
        make_spec("device in [old, new]").resolve(index)


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{images: {min: 4}}", r"expected at least 4 images in the forget part \(expect: images\), found 3\."),
        ("{images: {min: 1, max: 2}}", r"expected at least 1 and at most 2 images .* found 3\."),
        ("{patients: {max: 1}}", r"expected at most 1 patients in the forget part \(expect: patients\), found 2\."),
        ("{share: {min: 0.5}}", r"expected a share of at least 0\.5 to forget \(expect: share\), found 0\.3\."),
    ],
)
def test_another_cohort_than_expected_is_refused(index, expect, message):
    with pytest.raises(CohortError, match=message):
        make_spec("device == old", f"expect: {expect}").resolve(index)


def test_every_expectation_that_fails_is_listed(index):
    with pytest.raises(CohortError, match=r"(?s)expect: images.*expect: patients.*expect: share"):
        make_spec("device == old", "expect: {images: {max: 1}, patients: {max: 1}, share: {max: 0.1}}").resolve(index)


def test_bounds_are_included(index):
    expect = "expect: {images: {min: 3, max: 3}, patients: {min: 2, max: 2}, share: {min: 0.3, max: 0.3}}"
    assert make_spec("device == old", expect).resolve(index).images["forget"] == 3
