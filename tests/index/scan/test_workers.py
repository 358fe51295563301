from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import pyarrow as pa
import pytest
from index_files import work_that_dies, work_that_hangs, work_that_looks, work_that_never_begins, write_copies

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.listing import Walk
from monai_unlearn.index.scan import workers
from monai_unlearn.index.scan.file_rows import rows_of
from monai_unlearn.index.scan.options import ScanOptions
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
    found = dict(read_in_processes(chunks(folder), ScanOptions(), **{"workers": 2, "meanwhile": False, **options}))
    return pa.concat_tables([found[number] for number in sorted(found)])


def test_workers_return_the_rows_of_one_process(files):
    expected = rows_of(list(Walk([files])), reader=Reader.PYDICOM, options=ScanOptions())
    assert read(files) == expected
    assert read(files, workers=5, meanwhile=True) == expected  # more than there are chunks


@pytest.fixture(params=[True, False], ids=["forked", "started"], autouse=True)
def is_forked(request, monkeypatch):
    """Workers are forks where this process has one thread, as that of the command, and started afresh elsewhere."""
    monkeypatch.setattr(workers, "can_fork", lambda: request.param and sys.platform == "linux")


def test_workers_that_never_run_are_an_error(files):
    with pytest.raises(IndexReadError, match=r"ended with code 3 before .* --workers 1 .* `if __name__"):
        read(files, body=work_that_never_begins)


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_forked_worker_keeps_no_file_of_its_parent_open(files, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "can_fork", lambda: True)
    with (tmp_path / "lock").open("w") as lock:
        read(files, body=partial(work_that_looks, lock.fileno(), tmp_path / "found"))
    assert (tmp_path / "found").read_text() == "closed"


def test_only_a_process_of_one_thread_forks(monkeypatch):
    monkeypatch.undo()
    program = (
        "import threading\nfrom monai_unlearn.index.scan.workers import can_fork\nprint(can_fork())\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\nprint(can_fork())"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == [str(sys.platform == "linux"), "False"]


def test_crash_costs_one_chunk_which_pydicom_reads_file_by_file(files):
    (files / "0000" / "00001.dcm").rename(files / "0000" / "deadly.dcm")
    expected = rows_of(list(Walk([files])), reader=Reader.PYDICOM, options=ScanOptions())
    assert read(files, body=work_that_dies) == expected


def test_a_task_that_does_not_fit_into_a_pipe_waits_until_a_worker_is_free(files, monkeypatch):
    monkeypatch.setattr(workers, "_AHEAD_BYTES", 0)
    (files / "0000" / "00001.dcm").rename(files / "0000" / "deadly.dcm")
    expected = rows_of(list(Walk([files])), reader=Reader.PYDICOM, options=ScanOptions())
    assert read(files, body=work_that_dies, workers=1) == expected


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
    rows = read_in_processes(chunks(files), ScanOptions(), workers=1, meanwhile=False)
    next(rows)
    (worker,) = rows.gi_frame.f_locals["pool"].workers
    rows.close()
    assert worker.process.exitcode is not None
