from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.resolve.resolve import question_of
from monai_unlearn.cohort.typing.passed_on import passed_on
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
