from __future__ import annotations

import os
import shutil

import pyarrow.parquet as pq
import pytest

from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.index.scan import read, spool, workspace
from monai_unlearn.index.scan.decisions import FREE_TEXT, Decisions
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.scan.plan import FileCounts
from monai_unlearn.index.scan.workspace import Workspace


def test_changed_added_moved_and_vanished_files_are_counted(images, run, make_dicom):
    assert run().files.document() == {
        "added": 44, "changed": 0, "moved": 0, "resumed": 0, "reused": 0, "vanished": 0,
    }  # fmt: skip
    (images / "0003").rename(images / "moved")  # ten files
    shutil.move(images / "plain.png", images / "0000" / "plain.png")
    os.utime(images / "0001" / "00010.dcm", ns=(0, 1))
    make_dicom(images / "new.dcm", 9)
    (images / "0001" / "00011.dcm").unlink()
    report = run()
    assert report.files.document() == {
        "added": 1, "changed": 1, "moved": 11, "resumed": 0, "reused": 31, "vanished": 1,
    }  # fmt: skip
    assert report.index.digest == run("afresh").index.digest
    assert run().files.reused == 44


def test_first_run_collects_rows_while_it_lists_files(images, tmp_path, monkeypatch):
    monkeypatch.setattr(read, "FILES_A_CHUNK", 5)
    monkeypatch.setattr(spool, "FILES_A_BATCH", 5)
    done = []

    def track(files):
        for file in files:
            done.append("listed")
            yield file

    block = Workspace.block
    monkeypatch.setattr(Workspace, "block", lambda *arguments: done.append("collected") or block(*arguments))
    request = BuildRequest(sources=(images,), out=tmp_path / "index", scan=ScanOptions(workers=1))
    assert build(request, track=track).files.added == 44
    assert [done[: 5 * number].count("listed") for number in (1, 2)] == [5, 9]
    assert (done.count("listed"), done.count("collected")) == (44, 9)


def test_interrupted_run_is_continued_and_its_blocks_are_removed(images, run, tmp_path, monkeypatch):
    monkeypatch.setattr(read, "FILES_A_CHUNK", 5)
    monkeypatch.setattr(workspace, "WORTH_KEEPING", 10)

    def interrupted(count):
        def track(files):
            for number, file in enumerate(files):
                if number == count:
                    raise KeyboardInterrupt("enough")
                yield file

        request = BuildRequest(sources=(images,), out=tmp_path / "index", scan=ScanOptions(workers=1))
        with pytest.raises(KeyboardInterrupt, match="enough"):
            build(request, track=track)

    interrupted(16)  # three chunks
    interrupted(11)  # and two
    assert not (tmp_path / "index").exists()
    assert len(list((tmp_path / ".index.unfinished").rglob("block-*.arrow"))) == 5
    # What is damaged, or of another version, is read again.
    next(iter(sorted((tmp_path / ".index.unfinished").rglob("block-*0.arrow")))).write_bytes(b"words")
    report = run()
    assert report.files.resumed == 20
    assert not (tmp_path / ".index.unfinished").exists()
    assert report.index.digest == run("afresh").index.digest


def test_files_that_changed_since_they_were_read_are_read_again(images, run, tmp_path, monkeypatch):
    monkeypatch.setattr(read, "FILES_A_CHUNK", 5)
    monkeypatch.setattr(workspace, "WORTH_KEEPING", 1)

    def killed(rows, **_):
        assert sum(files.num_rows for files, _ in rows) == 44
        raise KeyboardInterrupt("now")

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt, match="now"):
        patched.setattr("monai_unlearn.index.build.collect", killed)
        run()
    os.utime(images / "0001" / "00010.dcm", ns=(0, 1))
    assert run().files.resumed == 43


def test_rows_of_another_key_are_not_reused(run):
    plain = run()
    patients = set(plain.index.frame()["patient"].dropna())
    keep = Decisions(keep=frozenset(("path", *FREE_TEXT)))
    first = run(pseudonyms=Pseudonyms(b"k" * 32), decisions=keep)
    assert first.files.added == 44
    assert first.index.digest != plain.index.digest
    assert patients
    assert not patients & set(first.index.frame()["patient"].dropna())
    stored = next(first.index.directory.glob("files-*.parquet"))
    assert "P0" not in pq.read_table(stored)["PatientID"].to_pylist()
    assert run(pseudonyms=Pseudonyms(b"k" * 32), decisions=keep).files.reused == 44
    assert run(pseudonyms=Pseudonyms(b"l" * 32), decisions=keep).files.added == 44


def test_moved_files_are_neither_added_nor_vanished():
    counts = FileCounts(reused=1, added=5, vanished=3).with_moved(2)
    assert counts == FileCounts(reused=1, added=3, vanished=1, moved=2)
