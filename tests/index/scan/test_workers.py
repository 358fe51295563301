from __future__ import annotations

import pyarrow as pa
import pytest
from index_files import work_that_dies, work_that_hangs, write_copies

from monai_unlearn.index.fast_readers import Reader, read_files
from monai_unlearn.index.listing import Walk
from monai_unlearn.index.scan.workers import read_in_processes

UID = "2.25.100000000000000000000"


@pytest.fixture
def files(tmp_path, make_dicom):
    write_copies(tmp_path / "images", make_dicom(tmp_path / "original", SOPInstanceUID=UID), UID, 12)
    return tmp_path / "images"


def chunks(folder):
    listed = list(Walk([folder]))
    return [listed[at : at + 4] for at in range(0, len(listed), 4)]


def read(folder, **options):
    found = dict(
        read_in_processes(chunks(folder), **{"reader": Reader.AUTO, "workers": 2, "meanwhile": False, **options})
    )
    return pa.concat_tables([found[number] for number in sorted(found)])


def test_workers_return_the_rows_of_one_process(files):
    expected = read_files(list(Walk([files])), reader=Reader.PYDICOM)
    assert read(files) == expected
    assert read(files, workers=5, meanwhile=True) == expected  # more than there are chunks


def test_crash_costs_one_chunk_which_pydicom_reads_file_by_file(files):
    (files / "0000" / "00001.dcm").rename(files / "0000" / "deadly.dcm")
    expected = read_files(list(Walk([files])), reader=Reader.PYDICOM)
    assert read(files, body=work_that_dies) == expected


def test_file_that_crashes_every_reader_has_a_fault_and_costs_no_other(files):
    (files / "0000" / "00001.dcm").rename(files / "0000" / "fatal.dcm")
    rows = read(files, body=work_that_dies).to_pylist()
    assert [row["path"].rpartition("/")[2] for row in rows if row["fault"]] == ["fatal.dcm"]
    assert next(row["fault"] for row in rows if row["fault"]) == "unreadable"
    assert len(rows) == 12


def test_file_that_hangs_is_given_up(files):
    (files / "0000" / "00001.dcm").rename(files / "0000" / "endless.dcm")
    rows = read(files, body=work_that_hangs, limit=2.0).to_pylist()
    assert [row["path"].rpartition("/")[2] for row in rows if row["fault"]] == ["endless.dcm"]


def test_workers_end_when_the_generator_is_closed(files):
    rows = read_in_processes(chunks(files), reader=Reader.AUTO, workers=1, meanwhile=False)
    next(rows)
    (worker,) = rows.gi_frame.f_locals["pool"].workers
    rows.close()
    assert worker.process.exitcode is not None
