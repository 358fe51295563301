from __future__ import annotations

import datetime as dt

import pytest
from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from monai_unlearn.index.doubts import DOUBTS
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.row import (
    EXTRA_TAGS,
    PIXEL_DIGEST,
    SETTLED,
    FaultyFileError,
    file_columns,
    read_columns,
    tag_columns,
    tagged,
)
from monai_unlearn.index.values import UNDECODED
from monai_unlearn.vocabulary.fields import Kind

GOOD = {"SOPInstanceUID": "1.2.3", "PatientID": " P1 ", "StudyDate": "20180605", "PatientAge": "018M", "Rows": 8}


def test_values_become_the_kinds_of_their_columns():
    row, faults = tagged(GOOD)
    assert faults == ()
    assert set(row) == {*read_columns(), *DOUBTS, "laterality"}
    assert (row["PatientID"], row["StudyDate"], row["PatientAge"]) == ("P1", dt.date(2018, 6, 5), 1.5)
    assert (row["Rows"], row["Modality"]) == (8.0, None)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"SOPInstanceUID": None}, Fault.MISSING_SOP_INSTANCE_UID),
        ({"StudyInstanceUID": "1.2.x"}, Fault.INVALID_UID),
        ({"StudyDate": "20240231"}, Fault.INVALID_DATE),
        ({"PatientAge": "45"}, Fault.INVALID_AGE),
        ({"Rows": "many"}, Fault.INVALID_NUMBER),
        ({"Rows": ["1", "2"]}, Fault.SEVERAL_NUMBERS),
        ({"Modality": f"C{UNDECODED}"}, Fault.UNDECODABLE_TEXT),
        ({"Rows": " ", "StudyDate": "", "PatientAge": None}, None),  # empty values are not invalid
    ],
)
def test_invalid_value_is_null_and_a_fault(change, fault):
    row, found = tagged({**GOOD, **change})
    assert found == (() if fault is None else (fault,))
    assert all(row[keyword] is None for keyword in change)


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"SOPInstanceUID": "1.2.x"}, (Fault.MISSING_SOP_INSTANCE_UID, Fault.INVALID_UID)),
        ({"Rows": "x", "PatientAge": "x"}, (Fault.INVALID_AGE, Fault.INVALID_NUMBER)),
        ({"StudyDate": "x", "Modality": UNDECODED}, (Fault.UNDECODABLE_TEXT, Fault.INVALID_DATE)),
        ({"Modality": UNDECODED, "SOPInstanceUID": None}, (Fault.MISSING_SOP_INSTANCE_UID, Fault.UNDECODABLE_TEXT)),
    ],
)
def test_every_fault_is_kept_gravest_first(change, faults):
    assert tagged({**GOOD, **change})[1] == faults


@pytest.mark.parametrize(
    ("change", "doubts"),
    [
        ({}, (None, None, None, None)),
        ({"StudyDate": "20180101-20181231"}, ("StudyDate", None, None, None)),
        ({"PatientAge": "12", "StudyDate": "20240231"}, ("StudyDate\\PatientAge", None, None, None)),
        ({"AcquisitionDateTime": "201812"}, (None, "AcquisitionDateTime=2018-12-01/2018-12-31", None, None)),
        (
            {"StudyDate": "2018", "AcquisitionDateTime": "201802+0100"},
            (None, "AcquisitionDateTime=2018-02-01/2018-02-28\\StudyDate=2018-01-01/2018-12-31", None, None),
        ),
        ({"PatientAge": "000Y"}, (None, None, "PatientAge", None)),
        ({"PatientAge": "000D"}, (None, None, None, None)),
        ({"ImageLaterality": UNDECODED}, ("ImageLaterality", None, None, None)),
        ({"SliceThickness": ["5.0", "2.50", "2.5"]}, (None, None, None, "SliceThickness=2.5/5.0")),
        (
            {"SliceThickness": ["5", "1e1"], "Rows": ["2", "1"]},
            (None, None, None, "Rows=1.0/2.0\\SliceThickness=5.0/10.0"),
        ),
        ({"SliceThickness": ["5", "thick"]}, ("SliceThickness", None, None, None)),
    ],
)
def test_a_row_lists_its_values_in_doubt(change, doubts):
    row, _ = tagged({**GOOD, **change})
    assert tuple(row[name] for name in DOUBTS) == doubts


@pytest.mark.parametrize("values", [["5", "5.0"], ["", "5"], ["5.00", "", "5"], [5, 5.0]])
def test_several_numbers_that_agree_are_one(values):
    row, faults = tagged({**GOOD, "SliceThickness": values})
    assert (row["SliceThickness"], faults, row["several_values"], row["invalid"]) == (5.0, (), None, None)


def test_a_shortened_date_is_null_and_no_fault():
    row, faults = tagged({**GOOD, "AcquisitionDateTime": "201812"})
    assert (row["AcquisitionDateTime"], faults) == (None, ())


@pytest.mark.parametrize(
    ("change", "side", "fault"),
    [
        ({"ImageLaterality": "OS"}, "L", None),
        ({"Laterality": "r", "FrameLaterality": "R"}, "R", None),
        ({"ImageLaterality": "R", "Laterality": "L"}, None, Fault.CONTRADICTING_LATERALITY),
        ({"ImageLaterality": "upper"}, None, Fault.INVALID_LATERALITY),
        ({"ImageLaterality": UNDECODED, "Laterality": "L"}, None, Fault.INVALID_LATERALITY),
        ({"SeriesDescription": "OS macula"}, None, None),  # a description is not read
    ],
)
def test_laterality_comes_from_three_tags(change, side, fault):
    row, found = tagged({**GOOD, **change})
    assert row["laterality"] == side
    assert [each for each in found if each is not Fault.UNDECODABLE_TEXT] == ([] if fault is None else [fault])


def test_whole_slides_say_so():
    row, faults = tagged({**GOOD, "SOPClassUID": VLWholeSlideMicroscopyImageStorage, "NumberOfFrames": "1200"})
    assert (row["NumberOfFrames"], faults, Fault.WHOLE_SLIDE.usable) == (1200.0, (Fault.WHOLE_SLIDE,), True)


def test_row_has_a_column_for_what_is_asked_for():
    asked_for = [EXTRA_TAGS, PIXEL_DIGEST]
    columns = ["format", "fault", "faults", *DOUBTS, *tag_columns(), "laterality", *SETTLED, *asked_for]
    assert list(file_columns()) == columns
    assert file_columns()[EXTRA_TAGS] is Kind.TEXT


def test_fault_names_its_code_and_keeps_what_was_read():
    error = FaultyFileError(Fault.TRUNCATED, {"format": "dicom"})
    assert (str(error), error.row) == ("truncated", {"format": "dicom"})
    assert FaultyFileError(Fault.EMPTY_FILE).row == {}
