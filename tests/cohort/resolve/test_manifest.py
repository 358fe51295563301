from __future__ import annotations

import json
import os

import pytest

from monai_unlearn.cohort.resolve import manifest as manifest_module
from monai_unlearn.cohort.resolve.manifest import read_manifest, write_document, write_manifest
from monai_unlearn.cohort.spec.canonical import canonical_json, digest_of
from monai_unlearn.errors import CohortError

MANIFEST = {"schema_version": 1, "members": {"file": "ä"}}


def test_the_file_contains_the_digest_of_the_rest(tmp_path):
    path = tmp_path / "new" / "cohort.json"
    digest = write_manifest(MANIFEST, path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert path.read_text(encoding="utf-8") == canonical_json(content)
    assert content.pop("digest") == digest == digest_of(content)
    assert os.listdir(path.parent) == ["cohort.json"]  # noqa: PTH208 - hidden files count too


def test_a_document_is_not_overwritten_by_accident(tmp_path):
    path = tmp_path / "cohort.json"
    path.write_text("precious")
    with pytest.raises(CohortError, match=r"cohort\.json: expected a new file, got one that exists\. .* --force"):
        write_document(MANIFEST, path)
    assert path.read_text() == "precious"
    write_document(MANIFEST, path, overwrite=True)
    assert json.loads(path.read_text())["schema_version"] == 1


def test_a_place_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CohortError, match="cannot be written"):
        write_manifest(MANIFEST, tmp_path / "file" / "cohort.json")
    with pytest.raises(CohortError, match="cannot be written"):
        write_manifest(MANIFEST, tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["file"]  # noqa: PTH208 - hidden files count too


def test_a_document_is_written_without_a_digest(tmp_path):
    write_document({"b": 1, "a": "ä"}, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"a": "ä", "b": 1}


WHOLE = {
    "schema_version": 1,
    "tool_version": "0.1.0",
    "spec": {"digest": "sha256:1", "whole": True, "content": {"name": "x"}, "rules": ["device == SECRET-ä"]},
    "index_digest": "sha256:2",
    "images": {"forget": 1, "remain": 2, "undetermined": 0},
    "patients": {"forget": 1, "remain": 2, "undetermined": 0},
    "members": {"file": "cohort_members.parquet", "digest": "sha256:3", "images": 3},
    "patients_in_both": 0,
}


def test_what_was_written_is_read(tmp_path):
    write_manifest(WHOLE, tmp_path / "m.json")
    assert read_manifest(tmp_path / "m.json") == WHOLE
    text = (tmp_path / "m.json").read_text(encoding="utf-8")
    # Another layout has the same content.
    (tmp_path / "m.json").write_text(json.dumps(json.loads(text)), encoding="utf-8")
    assert read_manifest(tmp_path / "m.json") == WHOLE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SECRET-ä", "SECRET-b"),
        ('"sha256:3"', '"sha256:4"'),
        ('"name": "x"', '"name": "y"'),
        ('"patients_in_both": 0', '"patients_in_both": false'),
        ('"patients_in_both": 0', '"patients_in_both": 0.0'),
        ('"digest": "sha256:', '"digest": "sha257:'),
        ('"index_digest"', '"more": 1, "index_digest"'),
    ],
)
def test_a_changed_manifest_is_refused(old, new, tmp_path):
    path = tmp_path / "m.json"
    write_manifest(WHOLE, path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CohortError, match=r"m\.json: the manifest does not match its digest: it was") as refused:
        read_manifest(path)
    assert "SECRET" not in str(refused.value)


NO_JSON = [
    "",
    "{",
    "SECRET",
    "\x00",
    '{"a": NaN}',
    '{"digest": NaN}',  # which the digest does not cover
    '{"a": 1, "a": 1}',
    "[" * 100_000,
    '{"a": "\\ud800"}',
    '{"a": 1' + "0" * 5000 + "}",
]


@pytest.mark.parametrize("text", [*NO_JSON, b"\xff"], ids=range(len(NO_JSON) + 1))
def test_what_is_not_json_is_refused(text, tmp_path):
    path = tmp_path / "m.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CohortError, match="expected JSON, got other content") as refused:
        read_manifest(path)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize("text", ["[]", "1", "null", "{}", '{"digest": "x"}', '{"members": {}}'])
def test_other_json_is_refused(text, tmp_path):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(CohortError, match="expected the manifest of a frozen cohort, got other JSON"):
        read_manifest(tmp_path / "m.json")


@pytest.mark.parametrize(
    "change",
    [
        {"spec": None},
        {"spec": {"digest": "x"}},
        {"spec": {"digest": 1, "content": {}}},
        {"index_digest": 1},
        {"tool_version": None},
        {"images": []},
        {"images": {"forget": 1}},
        {"patients": {"forget": "1", "remain": 1, "undetermined": 1}},
        {"members": {"file": "x", "images": 3}},
        {"members": {"file": "x", "digest": None, "images": 3}},
    ],
)
def test_parts_of_a_manifest_are_refused(change, tmp_path):
    write_manifest({**WHOLE, **change}, tmp_path / "m.json")
    with pytest.raises(CohortError, match="got parts of one"):
        read_manifest(tmp_path / "m.json")


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused(version, tmp_path):
    write_manifest({**WHOLE, "schema_version": version}, tmp_path / "m.json")
    with pytest.raises(CohortError, match="expected a manifest of schema version 1, got another"):
        read_manifest(tmp_path / "m.json")


def test_what_is_not_a_file_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(CohortError, match=r"none\.json: cannot be read \(No such file or directory\)"):
        read_manifest(tmp_path / "none.json")
    with pytest.raises(CohortError, match="expected a file"):
        read_manifest(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CohortError, match="expected a file"):
        read_manifest(tmp_path / "pipe")
    monkeypatch.setattr(manifest_module, "MAX_BYTES", 1024**2)
    (tmp_path / "large.json").write_bytes(b" " * 1024**2)
    with pytest.raises(CohortError, match="expected JSON, got other content"):
        read_manifest(tmp_path / "large.json")
    (tmp_path / "large.json").write_bytes(b" " * (1024**2 + 1))
    with pytest.raises(CohortError, match="expected at most 1 MiB of JSON, got more"):
        read_manifest(tmp_path / "large.json")
