"""An archive that speaks DIMSE: the index is that of DICOMweb, and of the files."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import pytest
from dicom_json import image, item
from pulls import pulled

from monai_unlearn.errors import ArchiveError
from monai_unlearn.index import Index
from monai_unlearn.index.readers.pixel_digest import pixel_digest
from monai_unlearn.index.sources.archive import Asked
from monai_unlearn.index.sources.dimse_archive import DimseArchive
from monai_unlearn.index.sources.web_archive import WebArchive
from monai_unlearn.pacs.access import Access
from monai_unlearn.pacs.dimse import Dimse, Peer
from monai_unlearn.pacs.items import STUDY, text
from monai_unlearn.pacs.study_query import StudyQuery
from monai_unlearn.phantom import write_fundus_studies

TODAY = dt.date(2020, 3, 1)
TAG = "AnatomicRegionSequence.CodeMeaning"


def test_the_index_of_a_real_orthanc(tmp_path, orthanc):
    orthanc.clear()
    write_fundus_studies(tmp_path / "studies", patients=4, size=64)
    orthanc.store(tmp_path / "studies")
    peer = Peer.of(orthanc.dimse, aet="ME", called="ORTHANC")
    with (
        closing(DimseArchive(peer, tags=[TAG], today=TODAY)) as dimse,
        closing(WebArchive(Access.of(orthanc.dicomweb), today=TODAY)) as web,
    ):
        found = pulled(tmp_path / "dimse", dimse, tags=[TAG])
        assert found.build.index.digest == pulled(tmp_path / "web", web, tags=[TAG]).build.index.digest
        assert found.build.tags[TAG]["images"]
        assert pulled(tmp_path / "dimse", dimse, tags=[TAG]).counts.studies["read"] == 0
        # By C-GET come the same pixels.
        row = Index.open(tmp_path / "web").frame(["image_id", "study", "series"]).iloc[0]
        client = Dimse(peer)
        (tmp_path / "got.dcm").write_bytes(client.instance(row["study"], row["series"], row["image_id"]))
        originals = {pixel_digest(path) for path in (tmp_path / "studies").rglob("*.dcm")}
        assert pixel_digest(tmp_path / "got.dcm") in originals


@pytest.fixture
def archive(monkeypatch):
    """An archive of one study; its image level tells the device of one image, and no description."""
    return archive_of(monkeypatch)


def archive_of(monkeypatch, **of_series):
    study = item(StudyInstanceUID="1.2.1", PatientID="P1", StudyDescription="Eyes", NumberOfStudyRelatedInstances=2)
    series = item(SeriesInstanceUID="1.2.1.1", Modality="OP", ManufacturerModelName="A", **of_series)
    first, second = image("1.2.1", 1, ManufacturerModelName="A"), image("1.2.1", 2, ManufacturerModelName=None)
    levels = {"STUDY": [study], "SERIES": [series], "IMAGE": [first, second]}

    def find(self, level, keys, fields):
        uid = keys.get("StudyInstanceUID")
        return iter(levels[level] if uid in (None, "1.2.1") else [])

    monkeypatch.setattr(Dimse, "find", find)
    return DimseArchive(Peer.of("pacs:104", aet="ME", called="PACS"), tags=(), today=TODAY)


def test_upper_levels_tell_only_what_images_do_not(archive):
    first, second = archive.metadata("1.2.1", expected=2)
    assert "00081090" in first
    assert "00081090" not in second
    assert second["00081030"]["Value"] == ["Eyes"]
    assert archive.metadata("1.9", expected=2) is None
    assert len(list(archive.studies(StudyQuery()))) == len(archive.study("1.2.1")) == 1


def test_fewer_instances_than_a_study_has_are_an_error(archive):
    with pytest.raises(ArchiveError, match="2 instances of a study that has 3. The archive caps"):
        archive.metadata("1.2.1", expected=3)


def test_fewer_instances_than_a_series_has_are_an_error_too(monkeypatch):
    archive = archive_of(monkeypatch, NumberOfSeriesRelatedInstances=3)
    with pytest.raises(ArchiveError, match="2 instances of a series that has 3. The archive caps"):
        archive.metadata("1.2.1", expected=None)


def test_a_silent_cap_of_the_list_of_studies_is_noticed(monkeypatch):
    days = {f"1.2.{year}": f"20{year}0101" for year in range(10, 17)}

    def find(self, level, keys, fields):
        low, _, high = keys.get("StudyDate", "-").partition("-")
        fitting = [uid for uid, day in days.items() if (not low or day >= low) and (not high or day <= high)]
        return iter([item(StudyInstanceUID=uid, PatientID="P1", StudyDate=days[uid]) for uid in fitting[:2]])

    monkeypatch.setattr(Dimse, "find", find)
    archive = DimseArchive(Peer.of("pacs:104", aet="ME", called="PACS"), tags=(), today=TODAY)
    assert sorted(text(one, STUDY) for one in archive.studies(StudyQuery())) == sorted(days)


def test_what_is_asked_for_at_the_next_pull(archive):
    cursor = {"day": "2020-03-01"}
    assert archive.asked(None) == archive.asked({"day": "soon"}) == Asked("all", cursor)
    assert archive.asked({"day": "2020-02-10"}).since == dt.date(2020, 1, 11)
    assert archive.traffic() == {"requests": 0, "bytes": 0}
