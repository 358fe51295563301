"""No identifier appears in a pseudonymised index, or in the output of its build."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import RLELossless
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.index import Index
from monai_unlearn.index.pseudonyms import Pseudonyms
from monai_unlearn.vocabulary.privacy import handle_of

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"f00dfacef00dfacef00dfacef00dface"
KEPT = "path,InstitutionName,StudyDescription,SeriesDescription,ProtocolName"
IDENTIFYING = ("SECRET", "DOE", "JANE", "19540504", "1954-05-04", "ACC777", "1.2.826.999.")


@pytest.fixture
def archive(tmp_path) -> Path:
    """Three images of two patients, one with invalid values, one cut."""
    folder = tmp_path / "images"
    folder.mkdir()
    (tmp_path / "key").write_bytes(KEY)
    for number, patient in enumerate(("SECRET1", "SECRET1", "SECRET2")):
        dataset = dcmread(get_testdata_file("CT_small.dcm"))
        dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate = patient, "DOE^JANE", "19540504"
        dataset.AccessionNumber, dataset.StudyID = "ACC777", "SECRET9"
        dataset.StudyInstanceUID = f"1.2.826.999.{number // 2}"
        for place, item in enumerate(dataset.OtherPatientIDsSequence):
            item.PatientID = f"{patient}-{place}"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        dataset.save_as(folder / f"{number}.dcm")
    content = (folder / "1.dcm").read_bytes()
    (folder / "1.dcm").write_bytes(content.replace(b"\x08\0\x20\0DA\x08\x002004", b"\x08\0\x20\0DA\x08\x00SECR"))
    (folder / "3.dcm").write_bytes(content[: len(content) // 2])
    (tmp_path / "t.csv").write_text("who,site\nSECRET1,north\nSECRET2,south\nSECRET3,east\n", encoding="utf-8")
    (tmp_path / "f.csv").write_text("file,patient_id,owner\n0.dcm,SECRET1,SECRET8\n", encoding="utf-8")
    return folder


@pytest.fixture
def run(tmp_path):
    def build(*words: object):
        decided = [] if "--pseudonymise" not in words or "--drop" in words else ["--keep", KEPT]
        command = ["index", "build", str(tmp_path / "images"), "--out", str(tmp_path / "index"), *map(str, words)]
        command += decided
        return CliRunner().invoke(app, command)

    return build


def _everything(folder: Path) -> str:
    """Everything in an index, as text."""
    texts = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        texts.append(str(path.relative_to(folder)))
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            texts.append(f"{table.to_pylist()} {table.schema.metadata}")
        else:
            texts.append(path.read_text(encoding="utf-8"))
    return "\n".join(texts)


def test_nothing_identifying_is_written_or_printed(archive, run, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    result = run("--pseudonymise", tmp_path / "key", "--table", tmp_path / "t.csv", "--key", "who=patient")
    assert result.exit_code == 0, result.output
    found = _everything(tmp_path / "index").replace(str(tmp_path), "")
    logged = " ".join(record.getMessage() for record in caplog.records)
    for text in IDENTIFYING:
        assert text not in found
        assert text not in result.output
        assert text not in logged
    assert KEY.decode() not in found
    assert KEY.hex() not in found
    frame = Index.open(tmp_path / "index").frame()
    expected = [Pseudonyms(KEY).of("patient", name) for name in ("SECRET1", "SECRET1", "SECRET2")]
    assert frame["patient"].tolist()[:3] == expected
    assert frame["site"].fillna("").tolist()[:3] == ["north", "north", "south"]
    assert frame["study"].nunique() == 2


def test_columns_that_may_name_patients_must_be_decided(archive, run, tmp_path):
    (tmp_path / "n.csv").write_text("who,last_name,site\nSECRET1,Meier,north\n", encoding="utf-8")
    table = ("--table", tmp_path / "n.csv", "--key", "who=patient", "--pseudonymise", tmp_path / "key")
    result = run(*table, "--drop", "path", "--tag", "ImageComments")
    assert result.exit_code == 2
    named = "InstitutionName, StudyDescription, SeriesDescription, ProtocolName, ImageComments, last_name"
    assert f"may name patients all the same: {named}. Drop" in result.stderr
    assert "--drop InstitutionName --drop StudyDescription" in result.stderr
    assert not (tmp_path / "index").exists()


def test_dropped_columns_are_written_nowhere(archive, run, tmp_path):
    (tmp_path / "n.csv").write_text("who,last_name,site\nSECRET1,Meier,north\n", encoding="utf-8")
    dataset = dcmread(archive / "0.dcm")
    dataset.StudyDescription = "head of Mr Doe"
    dataset.save_as(archive / "0.dcm")
    (archive / "0.dcm").rename(archive / "Meier_Hans.dcm")
    table = ("--table", tmp_path / "n.csv", "--key", "who=patient", "--pseudonymise", tmp_path / "key")
    drop = "path,StudyDescription,SeriesDescription,last_name"
    result = run(*table, "--drop", drop, "--keep", "InstitutionName,ProtocolName")
    assert result.exit_code == 0, result.output
    found = _everything(tmp_path / "index")
    for text in ("Meier", "Mr Doe", str(archive), ".dcm"):
        assert text not in found
    index = Index.open(tmp_path / "index")
    assert not {"StudyDescription", "SeriesDescription", "last_name"} & set(index.columns)
    assert {"InstitutionName", "site", "path"} <= set(index.columns)
    assert index.frame(["path"])["path"].isna().all()
    assert index.images == 3


def test_dropped_tags_and_dates_are_kept_for_no_later_run(archive, run, tmp_path):
    dataset = dcmread(archive / "0.dcm")
    dataset.ImageComments, dataset.AcquisitionDateTime = "seen by Dr Roe", "193102"
    dataset.save_as(archive / "0.dcm")
    asked = ("--pseudonymise", tmp_path / "key", "--tag", "ImageComments", "--raw-values")
    result = run(*asked, "--drop", "ImageComments,AcquisitionDateTime,StudyDate,raw_values", "--keep", KEPT)
    assert result.exit_code == 0, result.output
    found = _everything(tmp_path / "index")
    for text in ("Dr Roe", "1931-02", "SECR"):
        assert text not in found


def test_decisions_are_checked(archive, run, tmp_path):
    key = ("--pseudonymise", tmp_path / "key")
    for words, message in (
        (("--drop", "path"), "give --pseudonymise too"),
        ((*key, "--drop", "path", "--keep", "path"), "--drop path and --keep path: give one of them"),
        (
            (*key, "--drop", "path", "--drop", "InstitutionName", "--patient-key", "PatientID,InstitutionName"),
            "--drop InstitutionName: --patient-key tells patients apart by it. Leave out one of the two.",
        ),
        (
            (*key, "--drop", "ProtocolNam"),
            "--drop ProtocolNam: the index has no such column. Did you mean 'ProtocolName'",
        ),
    ):
        result = run(*words)
        assert result.exit_code == 2
        assert message in result.stderr


def test_table_s_identifiers_are_replaced_too(archive, run, tmp_path):
    words = ("--table", tmp_path / "f.csv", "--key", "file", "--patient", "owner", "--pseudonymise", tmp_path / "key")
    undecided = run(*words)
    assert (undecided.exit_code, "all the same: file. Drop" in undecided.stderr) == (2, True)
    result = run(*words, "--keep", "file")
    assert result.exit_code == 0, result.output
    found = _everything(tmp_path / "index").replace(str(tmp_path), "")
    assert "SECRET" not in found
    assert Index.open(tmp_path / "index").frame()["patient"].iloc[0] == Pseudonyms(KEY).of("patient", "SECRET8")


def test_without_being_asked_no_name_or_birth_date_is_indexed(archive, run, tmp_path):
    result = run()
    assert result.exit_code == 0
    found = _everything(tmp_path / "index").replace(str(tmp_path), "")
    for text in ("DOE", "JANE", "19540504", "1954-05-04"):
        assert text not in found
    for text in IDENTIFYING:
        assert text not in result.output


def test_names_and_raw_values_are_indexed_only_when_asked_and_never_with_pseudonyms(archive, run, tmp_path):
    result = run("--tag", "PatientName", "--tag", "PatientBirthDate", "--raw-values")
    assert result.exit_code == 0
    assert "DOE" not in result.output
    frame = Index.open(tmp_path / "index").frame(["PatientName", "raw_values"])
    assert frame["PatientName"].tolist()[:3] == ["DOE^JANE"] * 3
    assert "SECR" in frame["raw_values"].iloc[1]
    result = run("--tag", "PatientName", "--pseudonymise", tmp_path / "key")
    assert result.exit_code == 2
    assert "--tag PatientName: it would reveal who is behind a pseudonym" in result.stderr


def test_rows_of_another_key_or_without_one_are_not_reused(archive, run, tmp_path):
    def files(*words: object) -> dict[str, int]:
        return json.loads(run(*words, "--json").stdout)["files"]

    (tmp_path / "other").write_bytes(KEY[::-1])
    digests = []
    for words, reused in (
        ((), 0),
        (("--pseudonymise", tmp_path / "key"), 0),
        (("--pseudonymise", tmp_path / "key"), 4),
        (("--pseudonymise", tmp_path / "other"), 0),
        ((), 0),
    ):
        assert files(*words)["reused"] == reused
        digests.append(Index.open(tmp_path / "index").digest)
    assert digests[0] == digests[4]
    assert digests[1] == digests[2]
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    ("content", "message"), [(None, "the key cannot be read"), (b"short", "expected a key of 16 to 4096 bytes, got 5")]
)
def test_invalid_key_ends_with_2_and_nothing_written(content, message, archive, run, tmp_path):
    if content is not None:
        (tmp_path / "bad").write_bytes(content)
    result = run("--pseudonymise", tmp_path / "bad")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("words", [(), ("--pseudonymise", "key"), ("--pseudonymise", "key", "--drop", "path")])
def test_the_path_of_a_file_that_cannot_be_read_is_not_printed(words, run, tmp_path):
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "images").mkdir()
    file = tmp_path / "images" / "SECRET1_DOE^JANE.dcm"
    file.write_bytes(b"no image")
    dropped = "path,InstitutionName,StudyDescription,SeriesDescription,ProtocolName"
    places = {"key": tmp_path / "key", "path": dropped}
    result = run(*(places.get(word, word) for word in words))
    assert result.exit_code == 2
    assert f"1 not_an_image. The first is {handle_of(str(file))}." in result.stderr
    assert not any(text in result.output for text in IDENTIFYING)


def test_pixels_are_decoded_on_request(archive, run, tmp_path):
    dataset = dcmread(get_testdata_file("CT_small.dcm"))
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.9"
    stream = io.BytesIO()
    dataset.save_as(stream)
    content = bytearray(stream.getvalue())
    middle = content.rindex(b"\xfe\xff\x00\xe0") + 8 + 64
    content[middle : middle + 4000] = b"\x80" * 4000  # invalid RLE
    (archive / "9.dcm").write_bytes(content)
    assert "pixel_data_undecodable" not in json.loads(run("--json").stdout)["faults"]
    found = json.loads(run("--decode-check", "--paths", "--json").stdout)["faults"]
    assert found["pixel_data_undecodable"]["example"].endswith("9.dcm")
    assert found["truncated"]["count"] == 1
