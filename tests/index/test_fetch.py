"""Fetching images: checked, whole or not at all, within a budget, and bound to the index."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from dicom_json import image
from fake_archive import FakeArchive
from pulls import pulled

from monai_unlearn.errors import ArchiveError, IndexReadError
from monai_unlearn.index import Index
from monai_unlearn.index.fetch import (
    MANIFEST,
    Fetched,
    fetch,
    opened_archive,
    people_of,
    pulled_from,
    read_manifest,
    wanted_of,
)
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.index.scan.decisions import FREE_TEXT, Decisions
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.index.verify import verify_index
from monai_unlearn.pacs.web import RefusedError
from monai_unlearn.phantom import write_fundus_studies


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of an archive by their identifiers."""
    folder = tmp_path_factory.mktemp("archive")
    write_fundus_studies(folder / "out", patients=3, size=64)
    found = {}
    for path in sorted((folder / "out").rglob("*.dcm")):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        found[dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID] = path.read_bytes()
    return found


class Files:
    """An archive of files that counts what it is asked for."""

    def __init__(self, files):
        self.files, self.asked = dict(files), []

    def instance(self, *uids):
        self.asked.append(uids)
        if uids not in self.files:
            raise RefusedError("gone", 404)
        if isinstance(self.files[uids], Exception):
            raise self.files[uids]
        return self.files[uids]


def images_of(files):
    """The metadata of the files."""
    found = []
    for (study, series, uid), content in files.items():
        patient = str(pydicom.dcmread(BytesIO(content), stop_before_pixels=True).PatientID)
        found.append(image(study, 1, SeriesInstanceUID=series, SOPInstanceUID=uid, PatientID=patient))
    return found


@pytest.fixture
def index(tmp_path, files):
    pulled(tmp_path / "index", FakeArchive(images_of(files)))
    return Index.open(tmp_path / "index")


def rows(index):
    people = people_of(index)
    found = index.frame(["image_id", "study", "series"]).itertuples(index=False, name=None)
    return [(*row, people[row[0]]) for row in found]


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


@pytest.mark.parametrize(
    ("people", "issuer", "is_one"),
    [
        ((), None, True),
        (("P1",), None, True),
        (("P1",), "A", True),
        (("P2",), None, False),
        (("P1", "P1^^^A"), "A", True),
        (("P1", "P1^^^A"), "B", False),
        (("P1^^^A",), None, False),
    ],
)
def test_patients_are_compared_with_their_issuers(people, issuer, is_one):
    entry = Fetched("1.2", "1.2.dcm", 1, 1, "sha256:x", None, "P1", issuer, None)
    assert entry.is_of(frozenset(people)) is is_one


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


def test_what_cannot_be_fetched_is_refused(tmp_path, index):
    with pytest.raises(IndexReadError, match="no valid study"):
        wanted_of([("1.2", None, "1.3", None)])
    with pytest.raises(IndexReadError, match="no valid study"):
        wanted_of([("../x", "1.2", "1.3", None)])
    assert pulled_from(index) == "https://pacs/dicom-web"
    scan = ScanOptions(pseudonyms=Pseudonyms(b"k" * 32), decisions=Decisions(keep=frozenset(FREE_TEXT)))
    hidden = pulled(tmp_path / "hidden", FakeArchive([image("1.2.1", 1)]), scan=scan).build.index
    with pytest.raises(IndexReadError, match="this index has pseudonyms"):
        pulled_from(hidden)
    from cohort_index import make_index

    with pytest.raises(IndexReadError, match="was not pulled from an archive"):
        pulled_from(make_index(tmp_path / "built", {"image_id": ["a"]}))
    (tmp_path / MANIFEST).write_bytes(b"damaged")
    with pytest.raises(IndexReadError, match="is damaged"):
        read_manifest(tmp_path)


def test_the_archive_of_an_index():
    with opened_archive("https://pacs/dicom-web", aet=None, connections=2) as web:
        assert web.access.url == "https://pacs/dicom-web"
    with opened_archive("dimse://PACS@pacs:104", aet="ME", connections=2) as dimse:
        assert (dimse.peer.called, dimse.peer.aet, dimse.peer.port) == ("PACS", "ME", 104)
    with pytest.raises(ArchiveError, match="--aet"), opened_archive("dimse://PACS@pacs:104", aet=None, connections=2):
        pass
