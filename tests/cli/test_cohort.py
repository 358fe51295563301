"""`monai-unlearn cohort` as people and scripts use it."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from cohort_index import HEAD, make_index
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.vocabulary.fields import Kind

RUNNER = CliRunner()
SPECS = Path(__file__).parents[2] / "cohort_specs"


@pytest.fixture
def index(tmp_path):
    columns = {"ManufacturerModelName": ["old", "new", None], "diagnosis": ["amd", "amd", None]}
    kinds = dict.fromkeys(columns, Kind.TEXT)
    return make_index(tmp_path / "index", columns, kinds, label="diagnosis").directory


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(HEAD + "forget: device == old\n")
    return path


def _run(*arguments):
    return RUNNER.invoke(app, ["cohort", *map(str, arguments)])


def test_preview_prints_one_json_document(spec, index):
    result = _run("preview", spec, "--index", index, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert set(document) == {
        "name",
        "reason",
        "spec_digest",
        "index_digest",
        "images",
        "patients",
        "patients_in_both",
        "attrition",
        "classes",
        "classes_emptied",
        "strata",
        "value_lists",
        "compared",
        "variants",
        "notes",
        "warnings",
        "index_check",
    }
    assert document["images"] == document["patients"] == {"forget": 1, "remain": 1, "undetermined": 1}
    assert document["attrition"][-1] == {
        "rule": "device == old",
        "images_in": 3,
        "images_out": 1,
        "studies_in": 3,
        "studies_out": 1,
        "patients_in": 3,
        "patients_out": 1,
        "images_unknown": 1,
    }


def test_preview_prints_tables_for_people(spec, index):
    result = _run("preview", spec, "--index", index)
    assert result.exit_code == 0
    for text in (
        "Parts",
        "From the index to the forget part",
        "device == old",
        "(no label)",
        "Note: 1 image is",
    ):
        assert text in result.stdout


def _manifest(out):
    return json.loads((out / "cohort_manifest.json").read_text(encoding="utf-8"))


def test_freeze_writes_manifest_and_members_and_says_so(spec, index, tmp_path):
    out = tmp_path / "cohort"
    result = _run("freeze", spec, "--index", index, "--out", out, "--json")
    assert result.exit_code == 0
    said, content = json.loads(result.stdout), _manifest(out)
    assert said == {
        "manifest": str(out / "cohort_manifest.json"),
        "members": str(out / "cohort_members.parquet"),
        "digest": content["digest"],
        "images": content["images"],
        "patients": content["patients"],
        "patients_in_both": 0,
        "classes_emptied": [],
        "value_lists": [],
        "warnings": ["1 image is undetermined and used for neither part."],
        "index_check": said["index_check"],
    }
    assert digest_of({key: value for key, value in content.items() if key != "digest"}) == content["digest"]
    assert "i00" not in json.dumps(content)
    members = pq.read_table(out / "cohort_members.parquet").to_pylist()
    assert {row["image_id"]: row["part"] for row in members} == {
        "i00": "forget",
        "i01": "remain",
        "i02": "undetermined",
    }
    assert {row["split"] for row in members} <= {"train", "validation", "test"}


def test_freezing_twice_gives_the_same_bytes(spec, index, tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    for out in (first, second):
        result = _run("freeze", spec, "--index", index, "--out", out)
        assert result.exit_code == 0
        assert (
            f"{out / 'cohort_manifest.json'}: 1 image forget, 1 image remain, 1 image undetermined, sha256:"
            in result.stdout
        )
    for name in ("cohort_manifest.json", "cohort_members.parquet"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_frozen_cohort_is_replaced_only_by_force(spec, index, tmp_path):
    out = tmp_path / "cohort"
    out.mkdir()
    (out / "cohort_manifest.json").write_text("precious")
    assert _run("freeze", spec, "--index", index, "--out", out).exit_code == 2
    assert [path.read_text() for path in out.iterdir()] == ["precious"]
    assert _run("freeze", spec, "--index", index, "--out", out, "--force").exit_code == 0
    assert _manifest(out)["images"]["forget"] == 1


BAD = {
    "$import os\n": "specs are data",
    HEAD + "forget: devise == old\n": "unknown field 'devise'. Did you mean 'device'?",
    HEAD + "forget: device = old\n": "write ==",
    HEAD + "forget: device == nothing like it\n": "the forget part of 'test' is empty",
    HEAD + "forget: device == old\nexpect: {images: {min: 2}}\n": "expected at least 2 images",
    HEAD + "forget: missing(device)\n": "every tag is missing",
    "a: &b 1\n": "anchors",
    "\x00": "not valid YAML",
}


@pytest.mark.parametrize("command", ["preview", "freeze"])
@pytest.mark.parametrize(("text", "message"), BAD.items())
def test_bad_input_is_one_message_and_exit_code_2(command, text, message, spec, index, tmp_path):
    spec.write_text(text)
    out = tmp_path / "cohort"
    more = ["--out", out] if command == "freeze" else []
    result = _run(command, spec, "--index", index, *more)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("Error: ") == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not out.exists()
    as_json = _run(command, spec, "--index", index, *more, "--json")
    assert as_json.exit_code == 2
    assert message in json.loads(as_json.stdout)["error"]["message"]


def test_a_missing_index_or_spec_is_one_message(spec, index, tmp_path):
    for arguments in ([spec, "--index", tmp_path / "none"], [tmp_path / "none.yaml", "--index", index]):
        result = _run("preview", *arguments)
        assert result.exit_code == 2
        assert "none" in result.stderr
        assert "Traceback" not in result.stderr


def test_no_message_holds_a_value_of_the_index(tmp_path, spec):
    columns = {
        "patient": ["Secret^Name"] * 2,
        "image_id": ["SECRET1", "SECRET2"],
        "ManufacturerModelName": ["S3CRET", None],
    }
    index = make_index(tmp_path / "private", columns, {"ManufacturerModelName": Kind.TEXT})
    for line in (
        "forget: device == x",
        "forget: exists(device)",
        "forget: device > 3",
        "forget: device == S\nunknown: fail",
    ):
        spec.write_text(HEAD + line + "\n")
        result = _run("preview", spec, "--index", index.directory)
        assert result.exit_code in {0, 2}
        assert "secret" not in result.output.lower()
        assert "s3cret" not in result.output.lower()


@pytest.mark.parametrize("command", ["preview", "freeze"])
def test_help_teaches_with_an_example(command):
    result = _run(command, "--help")
    assert result.exit_code == 0
    assert "Example: monai-unlearn cohort" in " ".join(result.stdout.split())


def test_diff_counts_and_lists_the_images_that_move(spec, index, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(HEAD + "forget: device == new\n")
    result = _run("diff", spec, other, "--index", index, "--list", "--json")
    assert result.exit_code == 0, result.stderr
    assert "i00" in result.stdout
    assert _run("diff", spec, other, "--index", index).exit_code == 0


def test_check_holds_until_an_image_moves(spec, index, tmp_path):
    out = tmp_path / "cohort"
    _run("freeze", spec, "--index", index, "--out", out)
    held = _run("check", out, "--index", index, "--json")
    assert (held.exit_code, json.loads(held.stdout)["holds"]) == (0, True)
    columns = {"ManufacturerModelName": ["old", "old", "new"], "diagnosis": ["amd", "amd", None]}
    make_index(index, columns, dict.fromkeys(columns, Kind.TEXT), label="diagnosis")
    moved = _run("check", out, "--index", index, "--list", "--json")
    assert (moved.exit_code, json.loads(moved.stdout)["holds"]) == (3, False)
    assert _run("check", out, "--index", index).exit_code == 3


def test_a_manifest_that_somebody_changed_is_refused(spec, index, tmp_path):
    out = tmp_path / "cohort"
    _run("freeze", spec, "--index", index, "--out", out)
    path = out / "cohort_manifest.json"
    path.write_text(path.read_text().replace('"tool_version": "', '"tool_version": "9'))
    assert _run("check", out, "--index", index).exit_code == 2


def test_check_and_diff_take_any_two_of_folders_and_specs(consent, spec, index, tmp_path):
    consent.write_text(consent.read_text() + "expect: {matched: {gone: {min: 1}}}\n")
    folders = {path: tmp_path / path.stem for path in (consent, spec)}
    for path, out in folders.items():
        assert _run("freeze", path, "--index", index, "--out", out).exit_code == 0
    for first, second in product((consent, folders[consent]), (spec, folders[spec], consent, folders[consent])):
        moves = first.stem != second.stem
        with_index = ("--index", index)
        for more in (with_index, ()) if first.is_dir() and second.is_dir() else (with_index,):
            checked = _run("check", first, second, *more, "--json")
            assert checked.exit_code == (3 if moves else 0), checked.output
            compared = json.loads(_run("diff", first, second, *more, "--json").stdout)
            assert bool(compared["moved"]["images"]) == moves
            assert (compared["patients"] is None) == (not more)
    for command in ("check", "diff"):
        result = _run(command, folders[spec], spec)
        assert (result.exit_code, "Give --index DIR" in result.stderr) == (2, True)
    assert _run("check", spec, "--index", index).exit_code == 2
    result = _run("diff", *folders.values(), "--suppress-below", "5")
    assert (result.exit_code, "need the index" in result.stderr) == (2, True)


def test_schema_accepts_a_spec_and_refuses_a_misspelt_key(tmp_path):
    schema = json.loads(_run("schema").stdout)
    Draft202012Validator.check_schema(schema)
    spec = {"schema_version": 1, "name": "x", "reason": "other", "forget": "device == old"}
    validator = Draft202012Validator(schema)
    assert validator.is_valid(spec)
    assert not validator.is_valid({**spec, "scop": "image"})
    for path in sorted(SPECS.glob("*.yaml")):
        assert validator.is_valid(yaml.safe_load(path.read_text(encoding="utf-8"))), path
    assert all("description" in part for part in schema["properties"].values())
    out = tmp_path / "schema.json"
    assert _run("schema", "--out", out).exit_code == 0
    assert json.loads(out.read_text()) == schema


def test_small_counts_are_suppressed(spec, index):
    result = _run("preview", spec, "--index", index, "--suppress-below", "5", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["images"]["forget"] == "<5"


# Lists of identifiers.


@pytest.fixture
def consent(tmp_path):
    path = tmp_path / "consent.yaml"
    (tmp_path / "withdrawn.txt").write_text("p00\nP01\n2.0\n")
    text = HEAD.replace("other", "consent_withdrawal")
    path.write_text(f"{text}forget: patient in @gone\nvalue_sets: {{gone: {{file: withdrawn.txt}}}}\n")
    return path


@pytest.mark.parametrize("command", ["preview", "freeze"])
def test_a_consent_list_that_is_not_found_whole_ends_with_2(command, consent, index, tmp_path):
    out = ("--out", tmp_path / "cohort") if command == "freeze" else ()
    result = _run(command, consent, "--index", index, *out)
    assert result.exit_code == 2
    assert "found 1 of 3. Near misses: 1 by upper and lower case, 1 by a prefix or suffix." in result.stderr
    assert not (tmp_path / "cohort").exists()
    assert "P01" not in result.stderr


def test_reports_say_how_many_listed_values_occur(consent, index, tmp_path):
    consent.write_text(consent.read_text() + "expect: {matched: {gone: {min: 1}}}\n")
    words = "1 of 3 values of @gone (patient) occur in the index."
    out = tmp_path / "cohort"
    for arguments in (["preview", consent], ["explain", consent], ["freeze", consent, "--out", out]):
        result = _run(*arguments, "--index", index)
        assert result.exit_code == 0
        assert words in " ".join(result.stdout.split())
    (entry,) = json.loads(_run("preview", consent, "--index", index, "--json").stdout)["value_lists"]
    assert entry == _manifest(out)["value_lists"][0]
    assert entry == json.loads(_run("explain", consent, "--index", index, "--json").stdout)["value_lists"][0]
    assert entry["near"] == {"case": 1, "spaces": 0, "compatibility": 0, "leading_zeros": 0, "decimal": 0, "affix": 1}


def test_a_key_that_is_not_needed_is_refused(consent, index, tmp_path):
    (tmp_path / "key").write_bytes(b"sixteen bytes or more")
    for command in ("preview", "explain"):
        result = _run(command, consent, "--index", index, "--keyfile", tmp_path / "key")
        assert result.exit_code == 2
        assert "is not pseudonymised, so there is nothing to hash" in result.stderr
    result = _run("explain", consent, "--keyfile", tmp_path / "key")
    assert (result.exit_code, "--keyfile needs --index" in result.stderr) == (2, True)


@pytest.fixture
def archive(tmp_path):
    """Six DICOM files of four patients, pseudonymised."""
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset

    for number, patient in enumerate(["0012345", "0012346", "0012346", "MRN-0077", "B17", "B18"]):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.10.9.{number}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.3.{number}", f"1.2.4.{number}"
        dataset.PatientID, dataset.Modality, dataset.PhotometricInterpretation = patient, "OP", "MONOCHROME2"
        dataset.Rows = dataset.Columns = 4
        dataset.BitsAllocated = dataset.BitsStored = 8
        dataset.SamplesPerPixel, dataset.HighBit, dataset.PixelRepresentation = 1, 7, 0
        dataset.PixelData = bytes(16)
        (tmp_path / "files").mkdir(exist_ok=True)
        dataset.save_as(tmp_path / "files" / f"{number}.dcm", enforce_file_format=True)
    (tmp_path / "key").write_bytes(b"sixteen bytes or more")
    arguments = ["index", "build", tmp_path / "files", "--out", tmp_path / "hidden", "--pseudonymise", tmp_path / "key"]
    arguments += ["--keep", "path,InstitutionName,StudyDescription,SeriesDescription,ProtocolName"]
    result = RUNNER.invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return tmp_path / "hidden"


def test_a_plain_list_on_a_pseudonymised_index_needs_the_key(consent, archive, tmp_path):
    (tmp_path / "withdrawn.txt").write_text("0012345\n0012346\n")
    consent.write_text(consent.read_text().replace("in @gone", "in @gone or Modality == OT"))
    for command in ("preview", "explain"):
        refused = _run(command, consent, "--index", archive)
        assert refused.exit_code == 2
        assert "2 of 2 values of @gone (patient) are not pseudonyms" in refused.stderr
        assert "--keyfile FILE" in refused.stderr
    key, out = ("--keyfile", tmp_path / "key"), tmp_path / "cohort"
    found = json.loads(_run("preview", consent, "--index", archive, *key, "--json").stdout)
    assert found["images"] == {"forget": 3, "remain": 3, "undetermined": 0}
    assert (found["value_lists"][0]["matched"], found["value_lists"][0]["values"]) == (2, 2)
    assert json.loads(_run("explain", consent, "--index", archive, *key, "--json").stdout)["value_lists"]
    assert _run("freeze", consent, "--index", archive, "--out", out, *key).exit_code == 0
    assert b"0012345" not in b"".join(path.read_bytes() for path in out.iterdir())
    assert _run("check", out, "--index", archive, *key).exit_code == 0
    assert _run("check", out, "--index", archive).exit_code == 0
    moved = json.loads(_run("diff", consent, consent, "--index", archive, *key, "--json").stdout)
    assert moved["moved"]["images"] == 0
    assert _run("diff", consent, consent, "--index", archive).exit_code == 2


def test_a_diff_hides_listed_values(consent, index, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(consent.read_text().replace("{file: withdrawn.txt}", "{values: [p00, p02], absent: [p77]}"))
    third = tmp_path / "third.yaml"
    third.write_text(other.read_text() + "absent: [p78, p79]\n")
    for pair in ((consent, other), (other, third)):
        result = _run("diff", *pair, "--index", index, "--json")
        assert result.exit_code == 0
        assert not {"p77", "p78", "p02"} & set(result.stdout.replace('"', " ").replace(",", " ").split())
