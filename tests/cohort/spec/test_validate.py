from __future__ import annotations

import pytest
from cohort_index import make_spec

from monai_unlearn.cohort.spec.validate import validate
from monai_unlearn.errors import SpecError


def test_validate_names_the_columns_that_an_index_must_have():
    found = validate(make_spec("devise == x and device == y and patient == z"))
    assert found["fields"] == ["device", "devise", "patient"]
    assert found["columns_needed"] == ["devise"]
    assert found["notes"] == [
        "'devise' is not a DICOM keyword: the index must have a column of this name. Did you mean 'device'?"
    ]
    assert found["rules"] == ["devise == x", "device == y", "patient == …"]


def test_a_name_that_files_use_has_another_in_an_index():
    (note,) = validate(make_spec("StudyInstanceUID == 1.2"))["notes"]
    assert note.startswith("An index calls 'StudyInstanceUID' 'study': write study, unless the index has a column")


@pytest.mark.parametrize(
    ("forget", "message"),
    [
        ("device < 3", r"test\.yaml:4:9: 'device' holds text, which has no order"),
        ("SliceThickness > 3 ml", r"'SliceThickness' is in mm: ml cannot be converted to mm"),
        ("vpf in @lost", r"there is no 'lost' under value_sets"),
    ],
)
def test_faults_that_need_no_index_are_found_when_a_spec_is_read(forget, message):
    with pytest.raises(SpecError, match=message):
        make_spec(forget)
