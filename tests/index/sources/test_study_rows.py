"""Rows that may be stored: with pseudonyms, without what is dropped, and with the tags that were asked for."""

from __future__ import annotations

import json

from dicom_json import image, item

from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.index.scan.decisions import Decisions
from monai_unlearn.index.scan.extra_tags import ExtraTags
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.sources.study_list import Study
from monai_unlearn.index.sources.study_rows import StudyRows

STUDY = Study("1.2.1", "1.2.1", "x", 2)


def table(rows, *arguments):
    return rows.table(rows.of(*arguments))


def test_rows_are_sorted_by_path_and_filtered_by_modality():
    images = [image("1.2.1", 2), image("1.2.1", 1), image("1.2.1", 3, Modality="SR")]
    rows = table(StudyRows(ScanOptions(), frozenset({"OP"})), STUDY, images)
    assert rows.schema.equals(schema())
    assert rows["SOPInstanceUID"].to_pylist() == ["1.2.1.9.1", "1.2.1.9.2"]
    assert rows["path"].to_pylist() == sorted(rows["path"].to_pylist())
    assert table(StudyRows(ScanOptions(), frozenset({"CT"})), STUDY, images).num_rows == 0


def test_birth_dates_never_stay():
    rows = table(StudyRows(ScanOptions()), STUDY, [image("1.2.1", 1, PatientBirthDate="19600101")])
    assert int(rows["birth_check"][0].as_py()) < 32


def test_pseudonyms_and_dropped_columns():
    names = Pseudonyms(b"k" * 32)
    options = ScanOptions(
        pseudonyms=names,
        decisions=Decisions(drop=frozenset({"StudyDescription"})),
        extra_tags=ExtraTags.of(["AccessionNumber", "StudyTime"], raw_values=False, pseudonyms=names),
    )
    images = [image("1.2.1", 1, StudyDescription="Jane Doe", AccessionNumber="A7", StudyTime="1200")]
    (row,) = table(StudyRows(options), Study(names.of("study", "1.2.1"), "1.2.1", "x"), images).to_pylist()
    assert row["PatientID"] == names.of("patient", "P1")
    assert row["StudyInstanceUID"] == names.of("study", "1.2.1")
    assert row["path"].startswith(f"studies/{names.of('study', '1.2.1')}/series/")
    assert row["StudyDescription"] is None
    assert json.loads(row["extra_tags"]) == {"AccessionNumber": names.of("accession", "A7"), "StudyTime": "1200"}


def test_tags_of_objects_that_are_no_images_are_not_read():
    options = ScanOptions(extra_tags=ExtraTags(("AccessionNumber",)))
    report = {**image("1.2.1", 1), **item(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", AccessionNumber="A7")}
    assert table(StudyRows(options), STUDY, [report])["extra_tags"].to_pylist() == [None]


def test_a_server_that_never_names_pixels_lacks_none():
    told = {tag: element for tag, element in image("1.2.1", 1).items() if tag != "7FE00010"}
    for tells, fault in ((True, "pixel_data_missing"), (False, None)):
        rows = StudyRows(ScanOptions(), tells_pixels=lambda tells=tells: tells)
        assert table(rows, STUDY, [told])["fault"].to_pylist() == [fault]
    asked = []
    table(StudyRows(ScanOptions(), tells_pixels=lambda: asked.append(1) or True), STUDY, [image("1.2.1", 1)])
    assert asked == []
