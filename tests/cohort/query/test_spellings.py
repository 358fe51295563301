from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.query.spellings import count_spellings
from monai_unlearn.cohort.resolve.resolve import question_of
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def index(tmp_path):
    columns = {
        "device": ["A 1", "A 1", "a1", "B", None, "", "a-1"],
        "ImageType": ["X\\Y\\X", "Y", "X", None, "\\", "", "X"],
        "fault": [None, None, None, None, None, None, "truncated"],
    }
    return make_index(tmp_path / "index", columns, {"device": Kind.TEXT, "ImageType": Kind.TEXT})


def _count(index, fields):
    return count_spellings(index, fields, question_of(make_spec("device == x and ImageType == x"), index).bound)


def test_usable_images_are_counted_by_text_the_most_frequent_first(index):
    found = _count(index, {"device": None})
    assert list(found["device"].items()) == [("A 1", 2), ("B", 1), ("a1", 1)]


def test_only_texts_with_the_letters_that_are_asked_for(index):
    assert _count(index, {"device": {"a1", "c"}}) == {"device": {"A 1": 2, "a1": 1}}
    assert _count(index, {"device": set()}) == {"device": {}}


def test_a_column_may_have_the_name_of_what_is_counted(tmp_path):
    columns = {"text": ["a", "a", "b"], "images": ["x", "y", "y"], "stored": ["s", "s", "t"]}
    index = make_index(tmp_path / "other", columns, dict.fromkeys(columns, Kind.TEXT))
    bound = question_of(make_spec("text == a and images == x and stored == s"), index).bound
    assert count_spellings(index, dict.fromkeys(columns), bound) == {
        "text": {"a": 2, "b": 1}, "images": {"y": 2, "x": 1}, "stored": {"s": 2, "t": 1},
    }  # fmt: skip


def test_several_texts_count_one_by_one_and_once_per_image(index):
    assert _count(index, {"ImageType": None}) == {"ImageType": {"X": 2, "Y": 2}}
