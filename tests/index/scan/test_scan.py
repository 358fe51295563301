from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pyarrow.parquet as pq
import pytest
from index_files import write_copies

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.scan import scan, spool, workspace
from monai_unlearn.index.scan.scan import ScanOptions
from monai_unlearn.index.store import write

UID = "2.25.100000000000000000000"


@pytest.fixture
def images(tmp_path, make_dicom, make_image):
    folder = tmp_path / "images"
    write_copies(folder, make_dicom(tmp_path / "original", SOPInstanceUID=UID), UID, 40)
    shutil.copy(folder / "0000" / "00001.dcm", folder / "0002" / "copy.dcm")
    make_image(folder / "plain.png")
    (folder / "0001" / "words.dcm").write_text("words", encoding="utf-8")
    (folder / "notes.txt").write_text("words", encoding="utf-8")
    return folder


@pytest.fixture
def run(tmp_path, images):
    def build_it(out: str = "index", **options: object):
        request = BuildRequest(sources=(images,), out=tmp_path / out, scan=ScanOptions(**{"workers": 1, **options}))
        return build(request, track=iter)

    return build_it


@pytest.mark.parametrize(
    "options",
    [
        {"reader": Reader.PLAIN},
        {"reader": Reader.PYDICOM},
        {"workers": 2},
        {"workers": 3, "reader": Reader.PYDICOM},
        pytest.param(
            {"reader": Reader.GDCM}, marks=pytest.mark.skipif(find_spec("gdcm") is None, reason="no python-gdcm")
        ),
    ],
)
def test_content_does_not_depend_on_who_reads_it(options, run, monkeypatch):
    expected = run().index
    monkeypatch.setattr(scan, "_WORTH_WORKERS", 1)
    monkeypatch.setattr(scan, "FILES_A_CHUNK", 7)
    monkeypatch.setattr(spool, "FILES_A_BATCH", 11)
    monkeypatch.setattr(write, "ROWS_A_PART", 9)
    index = run("other", **options).index
    assert index.digest == expected.digest
    assert len(index.parts) == 5
    assert index.frame().equals(expected.frame())
    assert (index.frame()["fault"] == "duplicate_sop_instance_uid").sum() == 1


def test_changed_added_moved_and_vanished_files_are_told_apart(images, run, make_dicom):
    assert run().scan.document() == {
        "added": 44, "changed": 0, "moved": 0, "resumed": 0, "reused": 0, "vanished": 0,
    }  # fmt: skip
    (images / "0003").rename(images / "moved")  # ten files
    shutil.move(images / "plain.png", images / "0000" / "plain.png")
    os.utime(images / "0001" / "00010.dcm", ns=(0, 1))
    make_dicom(images / "new.dcm", 9)
    (images / "0001" / "00011.dcm").unlink()
    report = run()
    assert report.scan.document() == {
        "added": 1, "changed": 1, "moved": 11, "resumed": 0, "reused": 31, "vanished": 1,
    }  # fmt: skip
    assert report.index.digest == run("afresh").index.digest
    assert run().scan.reused == 44


def test_copy_of_a_file_that_stays_is_added_not_moved(images, run):
    run()
    shutil.copy(images / "0000" / "00003.dcm", images / "0000" / "again.dcm")
    (images / "0000" / "00004.dcm").unlink()
    counts = run().scan
    assert (counts.added, counts.moved, counts.vanished) == (1, 0, 1)


def test_interrupted_run_is_continued_and_its_blocks_go(images, run, tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "FILES_A_CHUNK", 5)
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
    assert report.scan.resumed == 20
    assert not (tmp_path / ".index.unfinished").exists()
    assert report.index.digest == run("afresh").index.digest


def test_files_that_changed_since_they_were_read_are_read_again(images, run, tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "FILES_A_CHUNK", 5)
    monkeypatch.setattr(workspace, "WORTH_KEEPING", 1)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt, match="now"):
        patched.setattr(scan, "all_rows", None)
        patched.setattr(
            "monai_unlearn.index.build.all_rows", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt("now"))
        )
        run()
    os.utime(images / "0001" / "00010.dcm", ns=(0, 1))
    assert run().scan.resumed == 43


def test_rows_of_another_key_are_not_reused(run):
    from monai_unlearn.index.pseudonyms import Pseudonyms

    plain = run()
    patients = set(plain.index.frame()["patient"].dropna())
    first = run(pseudonyms=Pseudonyms(b"k" * 32))
    assert first.scan.added == 44
    assert first.index.digest != plain.index.digest
    assert patients
    assert not patients & set(first.index.frame()["patient"].dropna())
    kept = next(first.index.directory.glob("files-*.parquet"))
    assert "P0" not in pq.read_table(kept)["PatientID"].to_pylist()
    assert run(pseudonyms=Pseudonyms(b"k" * 32)).scan.reused == 44
    assert run(pseudonyms=Pseudonyms(b"l" * 32)).scan.added == 44


def test_options_of_a_command_line():
    assert ScanOptions.of(reader="plain", workers=3, dask=None) == ScanOptions(reader=Reader.PLAIN, workers=3)
    with pytest.raises(IndexReadError, match=r"--reader pydicm: expected one of auto, .* Did you mean 'pydicom'"):
        ScanOptions.of(reader="pydicm", workers=None, dask=None)
    with pytest.raises(IndexReadError, match="--workers and --dask: a dask cluster has its own workers"):
        ScanOptions.of(reader="auto", workers=2, dask="local")


def test_file_that_lies_in_two_new_places_has_moved_to_one_of_them(images, run):
    run()
    shutil.copy(images / "0000" / "00004.dcm", images / "0001" / "one.dcm")
    shutil.move(images / "0000" / "00004.dcm", images / "0001" / "two.dcm")
    counts = run().scan
    assert (counts.added, counts.moved, counts.vanished) == (1, 1, 0)
