from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monai_unlearn.index.assemble import Duplicates, assembled, collect
from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.scan.spool import as_table

# The path, its format, its fault, its SOPInstanceUID.
FILES = [
    ("a.dcm", "dicom", None, "1.2.1"),
    ("b.dcm", "dicom", "truncated", None),
    ("c.png", "image", None, None),
    ("notes.txt", None, "not_an_image", None),
    ("words.dcm", None, "not_an_image", None),
]


def duplicates(*copies, conflicts=(), suffixes=()):
    return Duplicates(np.array(copies, np.int64), np.array(conflicts, np.int64), suffixes)


def batch(*files, named=()):
    listed = [Listed(path=f"/d/{name}", relative=name, named=name in named) for name, *_ in files]
    rows = [
        {
            "path": f"/d/{name}",
            "format": format_,
            "fault": fault,
            "faults": fault,
            "SOPInstanceUID": uid,
            "PatientID": f"P{uid}",
        }
        for name, format_, fault, uid in files
    ]
    return as_table(listed), pa.Table.from_pylist(rows, schema=schema())


@pytest.fixture
def collected(tmp_path):
    def run(*batches):
        return collect(batches, files=tmp_path / "files.parquet", ids=tmp_path / "ids.parquet", mark={"key": "value"})

    return run


def test_totals_cover_all_batches(collected):
    found = collected(batch(*FILES[:2]), batch(*FILES[2:], named={"words.dcm"}))
    assert (found.rows, found.usable, found.first) == (4, 2, "/d/a.dcm")  # the notes are no row
    assert (found.has_dicom, found.has_plain) == (True, True)
    assert found.faults == {"truncated": 1, "not_an_image": 1}
    assert found.named == [(4, "/d/words.dcm", "not_an_image")]


@pytest.mark.parametrize(("file", "has_dicom"), [(FILES[0], True), (FILES[2], False)])
def test_only_dicom_brings_tags(file, has_dicom, collected):
    found = collected(batch(file))
    assert (found.has_dicom, found.has_plain) == (has_dicom, not has_dicom)
    assert ("Modality" in found.tags) == has_dicom


def test_rows_are_stored_with_their_mark(collected):
    found = collected(batch(*FILES))
    stored = pq.read_schema(found.files)
    assert stored.metadata[b"key"] == b"value"
    assert pq.read_table(found.files).num_rows == len(FILES)


def test_image_without_a_uid_is_identified_by_its_path_in_the_source(collected):
    ids = pq.read_table(collected(batch(*FILES)).ids).to_pylist()
    assert ids[0]["image_id"] == "1.2.1"
    assert ids[2]["image_id"] == hashlib.sha256(b"c.png").hexdigest()[:32]
    assert [row["is_row"] for row in ids] == [True, True, True, False, True]
    assert [row["is_dicom"] for row in ids] == [True, False, False, False, False]
    assert [row["is_plain"] for row in ids] == [False, False, True, False, False]


def test_assembled_rows_are_those_of_the_index(collected):
    found = collected(batch(*FILES[:2]), batch(("d.dcm", "dicom", None, "1.2.1"), *FILES[2:]))
    rows = pa.concat_tables(assembled(found, duplicates(2)))
    assert rows["relative"].to_pylist() == ["a.dcm", "b.dcm", "d.dcm", "c.png", "words.dcm"]
    assert rows["fault"].to_pylist() == [None, "truncated", "duplicate_sop_instance_uid", None, "not_an_image"]
    assert rows["patient"].to_pylist()[0] == "P1.2.1"
    assert "SOPInstanceUID" not in rows.column_names
    assert not rows.schema.metadata


def test_build_without_files_has_no_rows(collected):
    found = collected()
    assert (found.rows, found.usable, found.tags) == (0, 0, {})
    assert sum(table.num_rows for table in assembled(found, duplicates())) == 0


def test_contradicting_copies_stay_with_names_of_their_own(collected):
    found = collected(batch(*FILES[:2]), batch(("d.dcm", "dicom", None, "1.2.1"), ("e.dcm", "dicom", None, "1.2.1")))
    rows = pa.concat_tables(assembled(found, duplicates(3, conflicts=(0, 2), suffixes=("", "#ab"))))
    assert rows["image_id"].to_pylist()[0::2] == ["1.2.1", "1.2.1#ab"]
    conflict, copy = "conflicting_duplicate", "duplicate_sop_instance_uid"
    assert rows["fault"].to_pylist() == [conflict, "truncated", conflict, copy]
