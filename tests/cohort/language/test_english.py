from __future__ import annotations

import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.english import sentence
from monai_unlearn.cohort.language.predicate import Predicate


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("device == Cirrus 800 FA", ["device is “Cirrus 800 FA”"]),
        ("device != x", ["device is not “x”"]),
        ("device ~= x", ["device is “x”, ignoring case"]),
        ("age >= 60", ["age is at least 60"]),
        ("acquired < 2019-01-01", ["acquired is before 2019-01-01"]),
        ("eye_label in [N, D]", ["eye_label is one of “N”, “D”"]),
        ("eye_label not in [N, D]", ["eye_label is not one of “N”, “D”"]),
        ("eye_label not in [N]", ["eye_label is not “N”"]),
        ("device not in @retired", ["device is not one of the values of @retired"]),
        ("device in @retired", ["device is one of the values of @retired"]),
        ("vpf > @limit", ["vpf is more than the value of @limit"]),
        ("age between 40 and 60", ["age is between 40 and 60, both included"]),
        ("device == 'AX  STIR'", ["device is “AX  STIR” exactly"]),
        ("device in [a b, 'a b']", ["device is one of “a b”, “a b” exactly"]),
        ("device like Biograph64", ["device is like “Biograph64”, ignoring case, spaces and punctuation"]),
        ("version(software) < 6.1", ["the version in software is less than 6.1"]),
        ("device contains us 8", ["device contains “us 8”"]),
        ("device matches /^a/i", ["device matches the regular expression /^a/, ignoring case"]),
        ("acquired within 30 days of @index_date", [
            "acquired is at most 30 days before or after a value of @index_date"
        ]),
        ("acquired within 3 days after visit", ["acquired is at most 3 days after visit"]),
        ("missing(device) and exists(age)", [
            "all of these hold:", "  device is not recorded", "  age is recorded"
        ]),
        ("not (a == 1 or b == 2)", [
            "this does not hold:", "  at least one of these holds:", "    a is 1", "    b is 2"
        ]),
        ("mean(r, l) * (2 - -x) > 11", ["the mean of r and l times (2 minus minus x) is more than 11"]),
        ("all(ImageType) == A", ["every value of ImageType is “A”"]),
        ("abs(mad_z(vpf) by (sex, device)) > 3.5", [
            "the absolute value of the robust z-score of vpf among images of the same sex and device is more than 3.5"
        ]),
        ("zscore(vpf) > 3", ["the z-score of vpf among images of the cohort is more than 3"]),
    ],
)  # fmt: skip
def test_predicates_in_english(text, words):
    assert list(sentence(parse(text)).lines()) == words


@pytest.mark.parametrize(
    "text",
    [
        "patient == P17",
        "patient in [P17, P18]",
        "patient between P17 and P18",
        "patient contains P17",
        "patient like P17",
        "mrn matches /P17/",
    ],
)
def test_values_of_fields_that_identify_people_are_left_out(text):
    (line,) = sentence(parse(text)).lines()
    assert "P17" not in line
    assert "not shown" in line


def test_a_node_without_a_handler_raises():
    class Strange(Predicate):
        def render(self, **_):
            return "?"

    with pytest.raises(NotImplementedError, match="Strange"):
        sentence(Strange())
