from __future__ import annotations

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.overlay.class_choice import choose_classes
from monai_unlearn.experiments.overlay.classes import Outputs
from monai_unlearn.experiments.overlay.sample_image import SampleImage
from monai_unlearn.experiments.overlay.settings import Choices


def chosen(names=("a", "b"), count=2, head="softmax", labels=None, labels_of=(), **choices):
    sample = None if labels is None else SampleImage(item={}, labels=labels, columns=frozenset(labels))
    return choose_classes(
        Outputs(names=tuple(names), count=count, head=head), Choices(labels=labels_of, **choices), sample
    )


def codes(found):
    return [one.code for one in found.findings if one.stops]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, []),
        ({"labels": {"a": 3, "b": 4}}, []),
        ({"count": None}, []),
        ({"count": 3}, ["classes"]),
        ({"names": ()}, ["classes"]),
        ({"names": (), "classes": ("x", "y")}, []),
        ({"labels": {"a": 3, "c": 4}}, ["labels"]),
        ({"classes": ("a", "b")}, []),
        ({"classes": ("b", "a")}, ["class_order"]),
        ({"names": ("b",), "count": 1, "head": "sigmoid", "classes": ("a", "b")}, []),
        ({"names": ("b",), "count": 1, "head": "sigmoid", "classes": ("b", "a")}, ["class_order"]),
        ({"head": "multilabel", "classes": ("b", "a"), "labels_of": ("x", "y")}, ["class_order"]),
        ({"head": "multilabel", "labels_of": ("a", "b")}, []),
        ({"head": "multilabel", "labels_of": ("b", "a")}, ["class_order"]),
        ({"healthy": ("z",)}, ["healthy"]),
        ({"healthy": ("a",)}, []),
        ({"names": ("b",), "count": 1, "head": "sigmoid"}, ["one_logit"]),
        ({"names": ("b",), "count": 1, "head": "sigmoid", "labels": {"b": 1, "a": 1}}, []),
        ({"names": ("b",), "count": 1, "head": "sigmoid", "labels": {"x": 1, "a": 1}}, ["one_logit", "labels"]),
        ({"head": "multilabel"}, ["multilabel"]),
        ({"head": "multilabel", "labels_of": ("x", "y"), "healthy": ("no a",)}, []),
        ({"head": "multilabel", "labels_of": ("x",)}, ["multilabel"]),
        ({"labels_of": ("x", "y"), "healthy": ("none",)}, ["healthy"]),
    ],
)
def test_what_is_wrong_with_the_classes(arguments, expected):
    assert codes(chosen(**arguments)) == expected


def test_a_message_about_the_order_has_both():
    (one,) = (one for one in chosen(classes=("b", "a")).findings if one.stops)
    assert one.what.startswith("--classes says b, a, and channel_def of the metadata a, b:")


def test_of_one_logit_the_named_class_is_the_high_one():
    found = chosen(names=("b",), count=1, head="sigmoid", labels={"b": 1, "a": 1})
    assert found.names == ("a", "b")


def test_a_message_about_labels_has_their_number_and_no_value():
    found = chosen(labels={"a": 3, "a name": 4})
    (one,) = (one for one in found.findings if one.stops)
    assert "4 images" in one.what
    assert "a name" not in str(one)


def test_without_a_healthy_class_a_note_says_what_is_missing():
    assert [one.code for one in chosen().findings] == ["healthy"]


def test_labels_are_in_columns_of_their_names_or_in_those_that_are_named():
    there = SampleImage(item={}, labels=None, columns=frozenset({"a", "b", "path"}))
    outputs = Outputs(names=("a", "b"), count=2, head="multilabel")
    assert choose_classes(outputs, Choices(), there).columns == ("a", "b")
    missing = choose_classes(outputs, Choices(labels=("x", "b")), there)
    assert [one.what for one in missing.findings if one.stops] == ["The index has no column x."]


def test_an_index_without_a_column_of_the_class_has_labels_alone():
    there = SampleImage(item={}, labels=None, columns=frozenset({"path"}))
    found = choose_classes(Outputs(names=("a", "b"), count=2, head="softmax"), Choices(), there)
    assert codes(found) == ["no_class_column"]


def test_a_head_that_there_is_not():
    with pytest.raises(ConfigError, match="--head"):
        choose_classes(Outputs(names=("a",), count=1, head="softmax"), Choices(head="none"), None)
