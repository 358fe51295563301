"""Fetching images: checked, whole or not at all, within a budget, and bound to the index."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from fake_archive import FakeArchive
from file_archive import Files, images_of, rows
from pulls import pulled

from monai_unlearn.errors import ArchiveError
from monai_unlearn.index import Index
from monai_unlearn.index.fetch.fetch import fetch
from monai_unlearn.index.fetch.manifest import MANIFEST, read_manifest
from monai_unlearn.index.fetch.wanted import wanted_of
from monai_unlearn.index.verify import verify_index


def run(index, archive, **options):
    index = Index.open(index.directory)
    return fetch(index, wanted_of(rows(index)), archive, folder=index.directory / "images", connections=2, **options)


def test_files_are_fetched_once_and_bound_to_the_index(index, files):
    archive = Files(files)
    done = run(index, archive)
    assert (done.fetched, done.is_whole, done.bytes) == (len(files), True, sum(map(len, files.values())))
    now = Index.open(index.directory)
    assert now.digest == index.digest
    paths = now.frame(["path", "file_size"])
    assert {Path(path).read_bytes() for path in paths["path"]} == set(files.values())
    assert set(paths["file_size"]) == set(map(len, files.values()))
    stated = json.loads((index.directory / "index.json").read_text())["fetched"]
    assert stated["images"] == len(files)
    assert all(one.pixel_digest.startswith("sha256:") for one in read_manifest(index.directory / "images").values())
    assert not verify_index(index.directory).bad
    archive.asked.clear()
    assert run(now, archive).document() == {**done.document(), "fetched": 0, "present": len(files)}
    assert archive.asked == []


def test_the_next_pull_keeps_the_files(index, files):
    run(index, Files(files))
    pulled(index.directory, FakeArchive(images_of(files)))
    assert all(Path(path).is_file() for path in Index.open(index.directory).frame(["path"])["path"])


def test_a_fetch_that_fails_is_gone_on_with(index, files):
    archive = Files(files)
    last = max(files)
    archive.files[last] = ArchiveError("the connection was cut")
    with pytest.raises(ArchiveError, match="cut"):
        run(index, archive)
    first = len(read_manifest(index.directory / "images"))
    archive.files[last] = files[last]
    (index.directory / "images" / MANIFEST).unlink()  # as if killed before it was written
    archive.asked.clear()
    done = run(index, archive)
    assert (done.present, done.is_whole) == (first, True)
    assert len(archive.asked) == len(files) - first


def test_files_that_are_not_the_image_are_not_kept(index, files):
    archive = Files(files)
    one, other, third, *_ = sorted(files)
    archive.files[one] = files[other]
    archive.files[other] = files[other][:-100]
    del archive.files[third]
    done = run(index, archive)
    assert dict(done.faulty) == {"other_image": 1, "truncated": 1}
    assert (done.missing, done.fetched, done.is_whole) == (1, len(files) - 3, False)
    assert len(list((index.directory / "images").rglob("*.dcm"))) == len(files) - 3
    assert not list((index.directory / "images").rglob("*.partial"))


def test_a_file_that_was_changed_is_fetched_again_and_other_pixels_are_noticed(index, files):
    archive = Files(files)
    run(index, archive)
    path = next((index.directory / "images").rglob("*.dcm"))
    before = path.read_bytes()
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    archive.asked.clear()
    assert run(index, archive).fetched == 1
    assert path.read_bytes() == before
    (uids,) = archive.asked
    archive.files[uids] = before[:-4] + bytes([before[-4] ^ 1]) + before[-3:]
    path.unlink()
    assert dict(run(index, archive).faulty) == {"other_pixels": 1}


def test_the_files_of_another_patient_than_the_index_has_are_not_kept(index, files):
    one = min(files)
    corrected = pydicom.dcmread(BytesIO(files[one]))
    corrected.PatientID = "RECONCILED"
    stream = BytesIO()
    corrected.save_as(stream)
    archive = Files({**files, one: stream.getvalue()})
    done = run(index, archive)
    assert (dict(done.faulty), done.fetched) == ({"other_patient": 1}, len(files) - 1)
    # After the next pull, the file that was fetched under the old patient is asked for again.
    run(index, Files(files))
    pulled(index.directory, FakeArchive(images_of(archive.files)), check=True)
    archive.asked.clear()
    assert run(index, archive).is_whole
    assert archive.asked == [one]


def test_what_a_killed_fetch_left_counts_before_more_comes(index, files):
    run(index, Files(files))
    (index.directory / "images" / MANIFEST).unlink()
    first = min(path for path in (index.directory / "images").rglob("*.dcm"))
    first.unlink()
    budget = sum(map(len, files.values())) - 1
    archive = Files(files)
    done = run(index, archive, budget=budget)
    assert (done.left, done.fetched, done.present) == (1, 0, len(files) - 1)


def test_a_budget_is_kept(index, files):
    budget = sum(sorted(map(len, files.values()))[:2]) + 200
    done = run(index, Files(files), budget=budget)
    assert done.fetched + done.left == len(files)
    assert done.left
    assert sum(path.stat().st_size for path in (index.directory / "images").rglob("*.dcm")) <= budget
