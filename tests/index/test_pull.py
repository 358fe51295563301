"""Pulls: the same index as of files, changed studies only, and nothing lost where the archive fails."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from dicom_json import image, images_of
from fake_archive import FakeArchive
from pulls import ids, pulled

from monai_unlearn.errors import ArchiveError, IndexReadError
from monai_unlearn.index import Index
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.index.scan.decisions import FREE_TEXT, Decisions
from monai_unlearn.index.scan.options import ScanOptions
from monai_unlearn.pacs.study_query import StudyQuery

NAMES = Pseudonyms(b"k" * 32)


def test_a_first_pull(tmp_path):
    done = pulled(tmp_path / "index", FakeArchive(images_of(4)), tags=["StudyTime"])
    index = Index.open(tmp_path / "index")
    assert (index.images, done.build.patients, done.looked_at) == (8, 4, "all")
    assert index.frame(["path"])["path"][0] == "studies/1.2.1/series/1.2.1.1/instances/1.2.1.9.0"
    document = json.loads((tmp_path / "index" / "index.json").read_text())
    assert document["pulled"] == {
        "archive": "https://pacs/dicom-web",
        "query": {"modalities": [], "from": None, "to": None, "aet": None},
        "cursor": {"day": "2020-01-01"},
    }
    assert document["studies"] in document["digests"]
    assert done.document()["studies"] == {"read": 4, "resumed": 0, "reused": 0, "vanished": 0}
    assert done.document()["tags"] == {"StudyTime": {"images": 0, "of": 8, "invalid": 0}}


def test_the_next_pull_asks_for_what_changed(tmp_path):
    out, archive = tmp_path / "index", FakeArchive(images_of(4))
    first = pulled(out, archive)
    archive.asked_for.clear()
    assert pulled(out, archive).build.index.digest == first.build.index.digest
    assert archive.asked_for == []
    assert archive.cursors == [None, {"day": "2020-01-01"}]
    archive.images += [image("1.2.2", 7), image("1.2.9", 1)]
    done = pulled(out, archive)
    assert sorted(archive.asked_for) == ["1.2.2", "1.2.9"]
    assert done.build.files.document() | {"moved": 0} == {
        "added": 2, "changed": 0, "moved": 0, "resumed": 0, "reused": 8, "vanished": 0,
    }  # fmt: skip


def test_deleted_studies_vanish(tmp_path):
    out, archive = tmp_path / "index", FakeArchive(images_of(4))
    pulled(out, archive)
    archive.images = [one for one in archive.images if not one["0020000D"]["Value"][0].endswith("3")]
    done = pulled(out, archive)
    assert (done.counts.studies["vanished"], done.build.files.vanished, done.build.index.images) == (1, 2, 6)


def test_a_change_of_patient_is_noticed(tmp_path):
    out, archive = tmp_path / "index", FakeArchive(images_of(2))
    pulled(out, archive)
    for one in archive.images[:2]:
        one["00100020"]["Value"] = ["OTHER"]
    done = pulled(out, archive)
    assert (done.counts.identities, done.build.files.changed) == (2, 2)
    assert done.document()["identities_changed"] == 2


def test_what_the_list_of_studies_does_not_show_is_noticed_by_a_full_check(tmp_path):
    out, archive = tmp_path / "index", FakeArchive(images_of(2))
    pulled(out, archive)
    archive.images[0]["00081090"]["Value"] = ["Other device"]
    assert pulled(out, archive).build.files.changed == 0
    assert pulled(out, archive, check=True).build.files.changed == 1


def test_only_recent_days_are_asked_for_where_the_server_does_not_say_what_changed(tmp_path):
    out, archive = tmp_path / "index", FakeArchive(images_of(2))
    pulled(out, archive)
    archive.how, archive.since = "window", dt.date(2019, 1, 1)
    archive.images = [*archive.images[:2], image("1.2.7", 1, StudyDate="20190601")]
    done = pulled(out, archive)
    assert ids(out) == ["1.2.1.9.0", "1.2.1.9.1", "1.2.2.9.0", "1.2.2.9.1", "1.2.7.9.1"]
    assert (done.looked_at, archive.asked_for[-1]) == ("window", "1.2.7")
    # A full check asks for all of them, and finds that one was deleted.
    assert pulled(out, archive, check=True).counts.studies["vanished"] == 1
    assert ids(out) == ["1.2.1.9.0", "1.2.1.9.1", "1.2.7.9.1"]


def test_only_studies_that_the_archive_says_have_changed(tmp_path):
    out, archive = tmp_path / "index", FakeArchive(images_of(3))
    pulled(out, archive)
    archive.how, archive.changed = "changes", frozenset({"1.2.9", "1.2.5"})
    archive.images += [image("1.2.9", 1)]
    archive.asked_for.clear()
    pulled(out, archive)
    assert archive.asked_for == ["1.2.9"]
    assert len(ids(out)) == 7


@pytest.mark.parametrize("changed", [None, frozenset({"1.2.1"})], ids=["all are listed", "only changes are"])
def test_an_image_that_replaces_another_is_read(tmp_path, changed):
    out, archive = tmp_path / "index", FakeArchive(images_of(2))
    pulled(out, archive)
    archive.images = [*archive.images[1:], image("1.2.1", 5, ManufacturerModelName="Other")]
    archive.changed, archive.new = changed, {"1.2.1": 9}
    archive.asked_for.clear()
    pulled(out, archive)
    assert archive.asked_for == ["1.2.1"]
    assert "1.2.1.9.5" in ids(out)


def test_a_pull_that_fails_changes_nothing_and_the_next_goes_on(tmp_path):
    out, archive = tmp_path / "index", FakeArchive(images_of(3))
    first = pulled(out, archive).build.index.digest
    archive.images += images_of(9)[6:]
    archive.refuses = {"1.2.9"}
    with pytest.raises(ArchiveError, match="503"):
        pulled(out, archive)
    assert Index.open(out).digest == first
    archive.refuses = set()
    assert len(ids(pulled(out, archive).build.index.directory)) == 18
    assert not list(tmp_path.glob(".*"))


def test_an_archive_that_lists_nothing_more_is_a_mistake(tmp_path):
    out, archive = tmp_path / "index", FakeArchive(images_of(3))
    pulled(out, archive)
    archive.images = []
    with pytest.raises(ArchiveError, match="lists none of the 3 studies that the index has"):
        pulled(out, archive)
    assert len(ids(out)) == 6


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "no image found"),
        (images_of(1, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Rows=None), "none of the objects"),
    ],
)
def test_no_image(tmp_path, images, message):
    for one in images:
        del one["7FE00010"], one["00280010"]
    with pytest.raises(IndexReadError, match=message):
        pulled(tmp_path / "index", FakeArchive(images))
    assert not (tmp_path / "index").exists()


def test_a_query_is_part_of_the_index(tmp_path):
    out, archive = (
        tmp_path / "index",
        FakeArchive([*images_of(2), *images_of(1, Modality="MR", SOPInstanceUID="1.2.8")]),
    )
    pulled(out, archive, query=StudyQuery(modalities=("OP",)))
    assert set(Index.open(out).frame(["Modality"])["Modality"]) == {"OP"}
    assert pulled(out, archive).counts.studies["read"] == 2  # another query: nothing is reused


def test_pseudonyms_come_before_anything_is_written(tmp_path, monkeypatch):
    from monai_unlearn.index.sources import pull_rows

    monkeypatch.setattr(pull_rows, "ROWS_A_BLOCK", 1)
    archive = FakeArchive(images_of(3, PatientID="Jane-Doe-77"))
    archive.refuses = {"1.2.3"}
    keep = frozenset(FREE_TEXT)
    scan = ScanOptions(pseudonyms=NAMES, decisions=Decisions(keep=keep))
    with pytest.raises(ArchiveError):
        pulled(tmp_path / "index", archive, scan=scan)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert not any(b"Jane-Doe-77" in path.read_bytes() for path in kept)
    archive.refuses = set()
    done = pulled(tmp_path / "index", archive, scan=scan)
    assert done.counts.studies["resumed"] > 0
    assert not any(b"Jane-Doe-77" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    frame = Index.open(tmp_path / "index").frame(["patient", "study", "path"])
    assert set(frame["patient"]) == {NAMES.of("patient", "Jane-Doe-77")}
    assert frame["path"][0].split("/")[1] == frame["study"][0]


def test_undecided_text_is_refused_before_the_archive_is_asked(tmp_path):
    archive = FakeArchive(images_of(1))
    with pytest.raises(IndexReadError, match="InstitutionName, StudyDescription"):
        pulled(tmp_path / "index", archive, scan=ScanOptions(pseudonyms=NAMES))
    assert archive.cursors == []


def test_dropped_paths(tmp_path):
    scan = ScanOptions(pseudonyms=NAMES, decisions=Decisions(keep=frozenset(FREE_TEXT), drop=frozenset({"path"})))
    done = pulled(tmp_path / "index", FakeArchive(images_of(1)), scan=scan)
    assert done.build.index.frame(["path"])["path"].isna().all()
    assert done.without_paths().archive == done.archive


@pytest.mark.parametrize("uid", ["1.2.DOE^JANE/..", None])
def test_a_study_without_a_valid_uid_is_a_row_with_a_fault_and_the_pull_goes_on(tmp_path, uid):
    wrong = image("1.2.9", 1, StudyInstanceUID=uid, PatientID="P9")
    archive = FakeArchive([*images_of(3), wrong])
    done = pulled(tmp_path / "index", archive)
    assert done.build.index.rows == done.build.index.images + 1 == len(archive.images)
    assert {fault.code: count for fault, (count, _) in done.build.faults.items()} == {"invalid_study_uid": 1}
    assert uid not in archive.asked_for
    paths = done.build.index.frame(["path", "fault"])
    (path,) = paths[paths["fault"] == "invalid_study_uid"]["path"]
    assert path.startswith("studies/no-uid-")
    assert "DOE" not in path
    # The next pull knows it; corrected, its images are read.
    assert pulled(tmp_path / "index", archive).counts.studies["reused"] == 4
    corrected = pulled(tmp_path / "index", FakeArchive([*images_of(3), image("1.2.9", 1, PatientID="P9")]), check=True)
    assert corrected.build.index.rows == corrected.build.index.images == len(archive.images)
    assert not corrected.build.faults


def test_an_archive_that_tells_no_uids_is_refused(tmp_path):
    with pytest.raises(ArchiveError, match="no study that the archive lists has a StudyInstanceUID that is a UID"):
        pulled(tmp_path / "index", FakeArchive([image("1.2.9", 1, StudyInstanceUID="x")]))
