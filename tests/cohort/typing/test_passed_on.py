from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.resolve.resolve import question_of
from monai_unlearn.cohort.typing.passed_on import passed_on, passed_on_sentence
from monai_unlearn.vocabulary.fields import Kind

TEXTS = ("ManufacturerModelName", "remark", "diagnosis", "StudyDescription", "surname", "station_name")
KINDS = {**dict.fromkeys(TEXTS, Kind.TEXT), "thickness": Kind.NUMBER, "seen": Kind.DATE, "birth_date": Kind.DATE}

# Each predicate, and what may leave the site of it.
TABLE = """
device == Cirrus                               | device == Cirrus
device in [Cirrus, Maestro]                    | device in [Cirrus, Maestro]
diagnosis == glaucoma                          | diagnosis == glaucoma
thickness > 3                                  | thickness > 3
seen within 30 days of 2019-01-31              | seen within 30 days of 2019-01-31
station_name == OCT1                           | station_name == OCT1
remark == MARK                                 | remark == …
remark contains MARK                           | remark contains …
remark like MARK                               | remark like …
remark matches /MARK/i                         | remark matches /…/
remark in [MARK, mark]                         | remark in [… 2 values]
not (remark in [MARK])                         | remark not in [… 1 value]
remark in @gone                                | remark in @gone
surname ~= MARK                                | surname ~= …
patient in [MARK, MARK2]                       | patient in [… 2 values]
StudyDescription contains MARK                 | StudyDescription contains …
birth_date == 1954-05-04                       | birth_date == …
birth_date between 1954-05-04 and 1954-05-05   | birth_date between … and …
birth_date within 3 days of 1954-05-04         | birth_date within 3 days of …
device == Cirrus and (remark == MARK or exists(remark)) | device == Cirrus and (remark == … or exists(remark))
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_what_may_leave_the_site(line, tmp_path):
    predicate, expected = (part.strip() for part in line.split(" | "))
    index = make_index(tmp_path / "index", {name: [None] for name in KINDS}, KINDS, label="diagnosis")
    spec = make_spec(f'"{predicate}"', "value_sets: {gone: [MARK]}\n")
    assert passed_on(spec.forget, question_of(spec, index).bound, label="diagnosis") == expected


# The same in English.
ENGLISH = """
device == Cirrus                               | device is “Cirrus”
remark == MARK                                 | remark is compared with a value that is not shown
remark contains MARK                           | remark contains a text that is not shown
remark like MARK                               | remark is like a text that is not shown
remark matches /MARK/i                         | remark matches an expression that is not shown
remark in [MARK, mark]                         | remark is one of 2 values not shown
remark in @gone                                | remark is one of the values of @gone
patient in [MARK, MARK2]                       | patient is one of 2 values that are not shown
birth_date between 1954-05-04 and 1954-05-05   | birth_date is between two values that are not shown
birth_date within 3 days of 1954-05-04         | birth_date is at most 3 days from a day that is not shown
"""


@pytest.mark.parametrize("line", ENGLISH.strip().splitlines())
def test_what_may_leave_the_site_in_english(line, tmp_path):
    predicate, expected = (part.strip() for part in line.split(" | "))
    index = make_index(tmp_path / "index", {name: [None] for name in KINDS}, KINDS, label="diagnosis")
    spec = make_spec(f'"{predicate}"', "value_sets: {gone: [MARK]}\n")
    assert passed_on_sentence(spec.forget, question_of(spec, index).bound, label="diagnosis").text == expected


def test_operands_are_told_one_by_one(tmp_path):
    index = make_index(tmp_path / "index", {name: [None] for name in KINDS}, KINDS, label="diagnosis")
    spec = make_spec('"device == Cirrus and not remark == MARK"', "")
    found = passed_on_sentence(spec.forget, question_of(spec, index).bound, label="diagnosis")
    assert list(found.lines()) == [
        "all of these hold:",
        "  device is “Cirrus”",
        "  this does not hold:",
        "    remark is compared with a value that is not shown",
    ]
