from __future__ import annotations

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.node import Value
from monai_unlearn.cohort.language.predicate import Exists, Missing
from monai_unlearn.cohort.language.term import Field


def test_canonical_text():
    assert str(Exists(Field("device"))) == "exists(device)"
    assert str(Missing(Field("odd name"))) == "missing(`odd name`)"


def test_the_field_is_the_only_child():
    assert list(parse("missing(a)").walk()) == [Missing(Field("a")), Field("a")]


def test_private_text_names_the_field_because_there_is_no_value():
    assert Exists(Field("patient")).render(private=True) == "exists(patient)"


def test_exists_is_no_field_without_its_brackets():
    assert parse("exists == 1").value == Value("1")
    assert parse("exists == 1").term == Field("exists")
