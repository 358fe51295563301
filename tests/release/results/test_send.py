from __future__ import annotations

import json

import pytest

from monai_unlearn.errors import ArchiveError, DataError
from monai_unlearn.release.results.find import find
from monai_unlearn.release.results.send import Stow, document_of, read_reports, store_all
from monai_unlearn.release.sr import read_source, write_report


@pytest.fixture
def folder(reports, tmp_path):
    for number, report in enumerate(reports[:2]):
        write_report(report, tmp_path / "reports" / f"{number}.dcm")
    return tmp_path / "reports"


def test_reports_are_sent_and_found_again(archive, folder, reports):
    held, client = archive(reports[3])
    found = read_reports([folder], version="0.1.0")
    for _ in range(2):  # sent twice, stored once
        assert store_all(found, Stow(client), server="pacs") == 2
    assert len(held.documents) == 3
    assert len(find(client, version="0.1.0", name="MRI classifier").results) == 2


def test_what_would_be_sent(folder, reports, scans):
    shown = document_of(read_reports([folder]), server="pacs", sent=None)
    assert (shown["dry_run"], shown["sent"]) == (True, 0)
    first = shown["documents"][0]
    assert first["SOPInstanceUID"] == reports[0].SOPInstanceUID
    assert first["algorithm"]["version"] == "0.1.0"
    assert first["derived_from"] == [read_source(scans[0]).SOPInstanceUID]
    assert reports[0].PatientID not in json.dumps(shown)


def test_what_is_refused_before_anything_is_sent(folder, scans, reports, tmp_path):
    with pytest.raises(DataError, match="expected version 0.3.0 in its algorithm identification, got 0.1.0"):
        read_reports([folder], version="0.3.0")
    with pytest.raises(DataError, match="expected a measurement report .TID 1500., got another document"):
        read_reports([scans[0]])
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(DataError, match="expected a DICOM report, got another file"):
        read_reports([tmp_path / "x.txt"])
    with pytest.raises(DataError, match="found nothing"):
        read_reports([tmp_path / "none"])
    with pytest.raises(DataError, match="found no file"):
        read_reports([])
    report = read_reports([folder])[0]
    del report.CurrentRequestedProcedureEvidenceSequence
    write_report(report, tmp_path / "bare.dcm")
    with pytest.raises(DataError, match="expected the images it was made from as evidence, got none"):
        read_reports([tmp_path / "bare.dcm"])


def test_what_the_archive_refuses_is_named(archive, folder):
    _, client = archive(refuses=True)
    with pytest.raises(ArchiveError, match="pacs: 2 of 2 documents were refused"):
        store_all(read_reports([folder]), Stow(client), server="pacs")


def test_what_the_archive_does_not_say_it_stored_is_refused(archive, folder):
    _, client = archive(stores=1)
    with pytest.raises(ArchiveError, match="pacs: 1 of 2 documents were refused"):
        store_all(read_reports([folder]), Stow(client), server="pacs")


def test_reports_of_another_bundle_are_refused(folder):
    assert len(read_reports([folder], version="0.1.0", name="MRI classifier")) == 2
    with pytest.raises(DataError, match="expected a report of Another in its algorithm identification, got MRI class"):
        read_reports([folder], version="0.1.0", name="Another")
