"""Who is a patient and what is an image: the small inputs of hospitals, through the command line."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.index import Index
from monai_unlearn.index.scan.decisions import FREE_TEXT

CASES = os.environ.get("MONAI_UNLEARN_CASES")
HEAD = "schema_version: 1\nname: test\nreason: other\nunknown: exclude\n"
KEPT = "path,InstitutionName,StudyDescription,SeriesDescription,ProtocolName"
needs_cases = pytest.mark.skipif(CASES is None, reason="MONAI_UNLEARN_CASES does not name the folder of cases")


def invoke(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    subprocess.run([sys.executable, str(Path(CASES or "") / "dicom_trouble.py"), str(folder)], check=True)
    return folder


@pytest.fixture
def indexed(tmp_path):
    """Index a folder; return the index, and what `index report` says."""

    def run(folder, *options):
        out = tmp_path / "index"
        invoke("index", "build", folder, "--out", out, *options)
        return Index.open(out), json.loads(invoke("index", "report", out, "--paths", "--json").stdout)

    return run


@pytest.fixture
def resolved(tmp_path):
    """Resolve a spec on an index; return the images of each part by file name."""

    def run(index, forget, more=""):
        (tmp_path / "spec.yaml").write_text(f"{HEAD}forget: {forget}\n{more}", encoding="utf-8")
        out = tmp_path / "cohort"
        invoke("cohort", "freeze", tmp_path / "spec.yaml", "--index", index.directory, "--out", out, "--force")
        paths = index.frame(["image_id", "path"]).set_index("image_id")["path"]
        members = pd.read_parquet(out / "cohort_members.parquet")
        ids = {part: members.loc[members["part"] == part, "image_id"] for part in ("forget", "remain", "undetermined")}
        return {part: sorted(Path(paths[name]).stem for name in names) for part, names in ids.items()}

    return run


def rows(index, *columns):
    """Return these columns by file name."""
    frame = index.frame(["path", *columns]).astype(object)
    frame = frame.where(frame.notna(), None)
    return {Path(path).stem: tuple(values) for path, *values in frame.itertuples(index=False)}


@needs_cases
@pytest.mark.parametrize(
    "rule", ["device == Spectralis or patient == U3", "device != Spectralis and patient == U2", "patient == U2"]
)
def test_contradicting_copies_are_undetermined_whatever_the_rule(rule, cases, indexed, resolved):
    index, report = indexed(cases / "dup")
    fault = report["faults"]["conflicting_duplicate"]
    assert fault["count"] == 2
    assert sorted(Path(path).stem for path in fault["examples"]) == ["a_old", "z_corrected"]
    assert index.frame()["image_id"].is_unique
    # Beside them, a rule forgets something, and something remains.
    found = resolved(index, rule, "scope: image\n")
    assert found["undetermined"] == ["a_old", "z_corrected"]


@needs_cases
def test_placeholder_is_no_patient(cases, indexed, resolved):
    index, report = indexed(cases / "anon")
    assert report["patients"] == 1
    assert report["faults"]["placeholder_patient_id"]["count"] == 3
    assert [patient for (patient,) in rows(index, "patient").values()] == [None, None, None, "Q1"]
    # Nothing says that the images with a placeholder are of one patient, or that they are not of Q1.
    found = resolved(index, 'device == "Cirrus HD-OCT 5000"', "scope: image\n")
    assert found == {"forget": ["x0"], "remain": ["x1", "x2", "x3"], "undetermined": []}


@needs_cases
def test_issuer_makes_two_patients_of_one_identifier(cases, indexed, resolved):
    index, report = indexed(cases / "issuer")
    assert report["patients"] == 2
    assert {code: fault["count"] for code, fault in report["faults"].items()} == {
        "patient_with_two_sexes": 2,
        "patient_with_two_issuers": 2,
    }
    index, report = indexed(cases / "issuer", "--patient-key", "PatientID,IssuerOfPatientID")
    assert (report["patients"], report["faults"]) == (3, {})
    assert resolved(index, 'patient == "1001^^^HOSP_A"')["forget"] == ["a"]
    assert resolved(index, "patient == 2002")["forget"] == ["c"]
    index, _ = indexed(cases / "issuer", "--patient-key", "PatientID,IssuerOfPatientID,InstitutionName")
    assert rows(index, "patient")["b"] == ("1001^^^HOSP_B^^Hospital B",)


@needs_cases
@pytest.mark.parametrize(
    "rule", ["patient == OLD-7", "patient == NEW-7", "patient in [OLD-7]", "patient in @withdrawn"]
)
def test_every_identifier_finds_all_images_of_the_patient(rule, cases, indexed, resolved):
    index, report = indexed(cases / "other")
    assert report["patients"] == 2
    more = "value_sets: {withdrawn: [OLD-7]}\n" if "@" in rule else ""
    assert resolved(index, rule, more) == {"forget": ["a", "b"], "remain": ["c"], "undetermined": []}


@needs_cases
def test_pseudonyms_cover_every_identifier(cases, indexed, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"0123456789abcdef0123")
    hidden = ("--pseudonymise", key, "--keep", ",".join(("path", *FREE_TEXT)))
    index, report = indexed(cases / "other", *hidden)
    assert report["patients"] == 2
    found = rows(index, "patient", "patient_ids")
    assert found["a"] == found["b"]
    names = found["a"][1].split("\\")
    assert len(names) == 2
    assert all(len(name) == 64 for name in names)
    content = b"".join(path.read_bytes() for path in index.directory.rglob("*") if path.is_file())
    assert b"OLD-7" not in content
    index, report = indexed(cases / "issuer", *hidden, "--patient-key", "PatientID,IssuerOfPatientID")
    assert report["patients"] == 3
    assert all("1001" not in patient for (patient,) in rows(index, "patient").values())


def test_derived_objects_are_counted_only_on_request(tmp_path, make_dicom, indexed):
    make_dicom(tmp_path / "in" / "op.dcm", 1)
    make_dicom(tmp_path / "in" / "seg.dcm", 2, SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    make_dicom(tmp_path / "in" / "sr.dcm", 3, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", PixelData=None, Rows=None)
    index, _ = indexed(tmp_path / "in")
    assert index.images == 1
    assert rows(index, "fault") == {"op": (None,), "seg": ("derived_object",), "sr": ("derived_object",)}
    index, _ = indexed(tmp_path / "in", "--include-derived")
    assert rows(index, "fault") == {"op": (None,), "seg": (None,), "sr": ("derived_object",)}
    index, _ = indexed(tmp_path / "in")
    assert index.images == 1


def test_birth_dates_are_compared_and_not_stored(tmp_path, make_dicom, indexed):
    make_dicom(tmp_path / "in" / "a.dcm", 1, PatientID="P", PatientBirthDate="19700304")
    make_dicom(tmp_path / "in" / "b.dcm", 2, PatientID="P", PatientBirthDate="19810506")
    make_dicom(tmp_path / "in" / "c.dcm", 3, PatientID="Q", PatientBirthDate="19700304")
    index, report = indexed(tmp_path / "in")
    assert report["faults"]["patient_with_two_birth_dates"]["count"] == 2
    content = b"".join(path.read_bytes() for path in index.directory.rglob("*") if path.is_file())
    assert b"19700304" not in content


def test_patients_that_a_table_names_have_the_same_notes(tmp_path, make_dicom, indexed):
    # What the files say of A differs, also that of D; the study of A and C is one.
    tags = [
        ("A", {"PatientSex": "M", "IssuerOfPatientID": "X", "StudyInstanceUID": "1.1"}),
        ("A", {"PatientSex": "F", "IssuerOfPatientID": "Y", "StudyInstanceUID": "1.2"}),
        ("C", {"PatientSex": "F", "StudyInstanceUID": "1.2"}),
        ("D", {"PatientBirthDate": "19700304", "StudyInstanceUID": "1.3"}),
        ("D", {"PatientBirthDate": "19810506", "StudyInstanceUID": "1.3"}),
        ("***", {"PatientSex": "M", "StudyInstanceUID": "1.4"}),
        ("***", {"PatientSex": "F", "StudyInstanceUID": "1.4"}),
        ("E", {"PatientSex": "F", "StudyInstanceUID": "1.5"}),
    ]
    for place, (_, more) in enumerate(tags):
        make_dicom(tmp_path / "in" / f"{place}.dcm", place, PatientID=f"P{place}", **more)
    table = tmp_path / "t.csv"
    table.write_text(
        "file,who\n" + "".join(f"{place}.dcm,{who}\n" for place, (who, _) in enumerate(tags)), encoding="utf-8"
    )
    for words in ((), ("--pseudonymise", tmp_path / "key", "--keep", f"{KEPT},file")):
        (tmp_path / "key").write_bytes(b"sixteen bytes or more")
        index, report = indexed(tmp_path / "in", "--table", table, "--key", "file", "--patient", "who", *words)
        sexes, births = "patient_with_two_sexes", "patient_with_two_birth_dates"
        issuers, studies = "patient_with_two_issuers", "study_with_two_patients"
        assert {name: faults for name, (faults,) in rows(index, "faults").items()} == {
            "0": f"{sexes}\\{issuers}",
            "1": f"{sexes}\\{issuers}\\{studies}",
            "2": studies,
            "3": births,
            "4": births,
            "5": "placeholder_patient_id",
            "6": "placeholder_patient_id",
            "7": None,
        }
        assert report["faults"][sexes]["count"] == 2


def test_an_index_of_pseudonyms_misses_no_contradiction_of_birth_dates(tmp_path, make_dicom, indexed):
    # Two dates that share their number below 32: without a secret, this contradiction must stay unseen.
    first = "19700304"
    number = hashlib.sha256(first.encode()).digest()[0] % 32
    days = (f"1981{month:02d}{day:02d}" for month in range(1, 13) for day in range(1, 29))
    other = next(day for day in days if hashlib.sha256(day.encode()).digest()[0] % 32 == number)
    for place, (patient, birth) in enumerate([("P", first), ("P", other), ("Q", first), ("Q", first)]):
        make_dicom(tmp_path / "in" / f"{place}.dcm", place, PatientID=patient, PatientBirthDate=birth)
    key = tmp_path / "key"
    key.write_bytes(b"sixteen bytes or more")
    for words, noted in (((), 0), (("--pseudonymise", key, "--keep", KEPT), 2)):
        index, report = indexed(tmp_path / "in", *words)
        assert report["faults"].get("patient_with_two_birth_dates", {"count": 0})["count"] == noted
        # Parquet is compressed: its values are what is looked at.
        stored = "".join(str(pq.read_table(path).to_pydict()) for path in index.directory.rglob("*.parquet"))
        for birth in (first, other):
            assert birth not in stored
            assert hashlib.sha256(birth.encode()).hexdigest() not in stored


def test_harmless_copies_count_once(tmp_path, make_dicom, indexed):
    for name in ("a", "b", "c"):
        make_dicom(tmp_path / "in" / f"{name}.dcm", 1)
    make_dicom(tmp_path / "in" / "d.dcm", 2)
    index, report = indexed(tmp_path / "in")
    assert (index.images, index.rows) == (2, 4)
    assert report["faults"]["duplicate_sop_instance_uid"]["count"] == 2


@pytest.mark.filterwarnings("ignore")  # pydicom's own, of the test's writing
def test_row_keeps_all_its_faults(tmp_path, make_dicom, indexed, resolved):
    make_dicom(tmp_path / "in" / "a.dcm", 1, PatientID="", StudyInstanceUID="1.2.x", PatientAge="45", StudyDate="x")
    make_dicom(tmp_path / "in" / "b.dcm", 2, PatientAge="45")
    make_dicom(tmp_path / "in" / "c.dcm", 3)
    index, report = indexed(tmp_path / "in")
    assert rows(index, "fault", "faults")["a"] == (
        "missing_patient_id",
        "missing_patient_id\\invalid_uid\\invalid_date\\invalid_age",
    )
    assert report["faults"]["invalid_age"]["count"] == 2
    assert resolved(index, "fault == invalid_age", "scope: image\n")["forget"] == ["a", "b"]
    assert resolved(index, "fault in [invalid_uid, truncated]", "scope: image\n")["forget"] == ["a"]
