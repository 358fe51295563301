"""Lists of plain identifiers on indexes of pseudonyms, from files to the cohort by the command line."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from typer.testing import CliRunner

from monai_unlearn.cli import app

# Each image's PatientID and issuer, its institution, and a further identifier with its issuer.
IMAGES = [
    ("12346", "HOSP_A", "Eye", None),
    ("12346", "HOSP_B", "Eye", None),
    ("0077", "HOSP_A", "Eye", ("OLD-7", "HOSP_A")),
    ("OLD-7", "HOSP_A", "Eye", None),
    ("555", None, "Eye", None),
    ("666", "HOSP_A", "Nose", ("OLD-6", "HOSP_C")),
    ("other", "HOSP_A", "Eye", None),
]


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (tmp_path / "key").write_bytes(b"f00dfacef00dfacef00dfacef00dface")
    for number, (patient, issuer, institution, other) in enumerate(IMAGES):
        dataset = dcmread(get_testdata_file("CT_small.dcm"))
        dataset.PatientID, dataset.InstitutionName = patient, institution
        dataset.IssuerOfPatientID = issuer or ""
        dataset.OtherPatientIDsSequence = []
        if other is not None:
            item = Dataset()
            item.PatientID, item.IssuerOfPatientID = other
            dataset.OtherPatientIDsSequence = [item]
        dataset.StudyInstanceUID = f"1.2.3.{number}"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}.1"
        dataset.save_as(folder / f"{number}.dcm")

    def call(*words: object):
        return CliRunner().invoke(app, list(map(str, words)))

    return call


def build(run, tmp_path, *words):
    out = tmp_path / "index"
    decided = ("--drop", "path,StudyDescription,SeriesDescription,ProtocolName", "--keep", "InstitutionName")
    key = ("--pseudonymise", tmp_path / "key", *decided)
    result = run("index", "build", tmp_path / "images", "--out", out, *key, *words)
    assert result.exit_code == 0, result.output
    return out


def freeze(run, tmp_path, index, listed, *words):
    (tmp_path / "gone.txt").write_text("\n".join(listed), encoding="utf-8")
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "schema_version: 1\nname: gone\nreason: consent_withdrawal\nforget: patient in @gone\n"
        "value_sets: {gone: {file: gone.txt}}\n",
        encoding="utf-8",
    )
    out = tmp_path / "cohort"
    result = run("cohort", "freeze", spec, "--index", index, "--out", out, "--force", "--json", *words)
    if result.exit_code:
        return result, None, None
    manifest = json.loads((out / "cohort_manifest.json").read_text(encoding="utf-8"))
    members = pd.read_parquet(out / "cohort_members.parquet")
    numbers = sorted(int(name.split(".")[3]) for name in members.loc[members["part"] == "forget", "image_id"])
    return result, numbers, manifest


@pytest.mark.parametrize(
    ("key", "listed", "images"),
    [
        ("PatientID,IssuerOfPatientID", ["12346^^^HOSP_A"], [0]),
        ("PatientID,IssuerOfPatientID", ["12346^^^HOSP_A", "12346^^^HOSP_B"], [0, 1]),
        ("PatientID,IssuerOfPatientID", ["555"], [4]),
        # Without its issuer, where one patient alone has the number; the alias finds both names of a patient.
        ("PatientID,IssuerOfPatientID", ["0077"], [2, 3]),
        ("PatientID,IssuerOfPatientID", ["OLD-7"], [2, 3]),
        ("PatientID,IssuerOfPatientID", ["OLD-7^^^HOSP_A", "OLD-6"], [2, 3, 5]),
        ("PatientID,IssuerOfPatientID", ["OLD-6^^^HOSP_C"], [5]),
        ("PatientID,IssuerOfPatientID,InstitutionName", ["12346^^^HOSP_B^^Eye", "666"], [1, 5]),
        ("PatientID", ["12346", "OLD-7"], [0, 1, 2, 3]),
    ],
)
def test_a_plain_list_finds_the_same_images_with_and_without_pseudonyms(run, tmp_path, key, listed, images):
    index = build(run, tmp_path, "--patient-key", key)
    _, found, manifest = freeze(run, tmp_path, index, listed, "--keyfile", tmp_path / "key")
    assert found == images
    assert [(entry["values"], entry["matched"]) for entry in manifest["value_lists"]] == [(len(listed), len(listed))]
    # The digits may be a part of a hash.
    assert not re.search(r"(?<![0-9a-f])(?:12346|0077|OLD-|555|666)(?![0-9a-f])", json.dumps(manifest))
    plain = tmp_path / "plain"
    assert run("index", "build", tmp_path / "images", "--out", plain, "--patient-key", key).exit_code == 0
    assert freeze(run, tmp_path, plain, listed)[1] == images


def test_a_number_of_several_patients_is_refused_with_and_without_pseudonyms(run, tmp_path):
    key = ("--patient-key", "PatientID,IssuerOfPatientID")
    index, plain = build(run, tmp_path, *key), tmp_path / "plain"
    assert run("index", "build", tmp_path / "images", "--out", plain, *key).exit_code == 0
    for refused in (
        freeze(run, tmp_path, index, ["12346"], "--keyfile", tmp_path / "key")[0],
        freeze(run, tmp_path, plain, ["12346"])[0],
    ):
        assert refused.exit_code == 2
        assert "found 0 of 1. Identifiers that several patients have: 1. Write each with its issuer" in refused.stderr
        assert "12346" not in refused.stderr


def test_a_plain_list_without_the_key_is_refused(run, tmp_path):
    index = build(run, tmp_path, "--patient-key", "PatientID,IssuerOfPatientID")
    result, _, _ = freeze(run, tmp_path, index, ["12346^^^HOSP_A", "555"])
    assert result.exit_code == 2
    assert "2 of 2 values of @gone (patient) are not pseudonyms" in result.stderr
    assert "--keyfile FILE" in result.stderr


def test_a_number_of_two_patients_is_nobody_without_its_issuer(run, tmp_path):
    index = build(run, tmp_path, "--patient-key", "PatientID,IssuerOfPatientID")
    result, _, _ = freeze(run, tmp_path, index, ["12346", "555"], "--keyfile", tmp_path / "key")
    assert result.exit_code == 2
    assert "found 1 of 2" in result.stderr
