from __future__ import annotations

import json

import jsonschema
import pytest
from lineage_example import entry, lineage
from pydantic import ValidationError

from monai_unlearn.cohort.lineage.document import Lineage, appended, json_schema
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.errors import ConfigError, ExitCode


def write(folder, **changes):
    """Write a lineage with changes and a digest that fits them."""
    content = {**lineage().to_dict(), **changes}
    content.pop("digest")
    (folder / "lineage.json").write_text(json.dumps({**content, "digest": digest_of(content)}), encoding="utf-8")


def test_a_bundle_that_was_never_revised_has_none(tmp_path):
    assert Lineage.read(tmp_path) is None


def test_what_is_written_is_read(tmp_path):
    lineage().write(tmp_path)
    first = (tmp_path / "lineage.json").read_bytes()
    assert Lineage.read(tmp_path) == lineage()
    Lineage.read(tmp_path).write(tmp_path)
    assert (tmp_path / "lineage.json").read_bytes() == first
    document = json.loads(first)
    assert list(document) == sorted(document)
    jsonschema.validate(document, json_schema())


def test_a_revision_is_added_behind_the_others():
    first = appended(None, entry())
    assert first.versions == ("0.2.0",)
    assert appended(first, entry("0.3.0")).revisions == (entry(), entry("0.3.0"))
    with pytest.raises(ConfigError, match=r"has a version 0.2.0 already, so its version was set back since"):
        appended(first, entry())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not JSON", "expected JSON, got other content"),
        (b"\xff", "expected JSON, got other content"),
        (b"[1]", "expected the lineage of a bundle, got other JSON"),
        (b'{"a": 1, "a": 2}', "expected JSON, got other content"),
        (b'{"a": NaN}', "expected JSON, got other content"),
        (b'{"a": "\\ud800"}', "expected JSON, got other content"),
        (b"[" * 100_000, "expected JSON, got other content"),
        (b" " * (4 * 1024**2 + 1), "expected at most 4 MiB of JSON, got more"),
        (b'{"schema_version": 1}', "does not match its digest"),
    ],
)
def test_another_file_is_refused(content, message, tmp_path):
    (tmp_path / "lineage.json").write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        Lineage.read(tmp_path)
    assert caught.value.exit_code == ExitCode.BAD_INPUT == 2


def test_a_folder_in_its_place_is_refused(tmp_path):
    (tmp_path / "lineage.json").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        Lineage.read(tmp_path)


@pytest.mark.parametrize("old", ["withdrawn", "2026-11-26", '"forget": 2'])
def test_an_edit_is_noticed(old, tmp_path):
    lineage().write(tmp_path)
    path = tmp_path / "lineage.json"
    path.write_text(path.read_text(encoding="utf-8").replace(old, old[::-1].replace('2 :"', '"x": 3, "')), "utf-8")
    with pytest.raises(ConfigError, match=r"does not match its digest: it was changed|expected JSON"):
        Lineage.read(tmp_path)


def first_of(**changes):
    first, second = lineage().to_dict()["revisions"]
    return [{**first, **changes}, second]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"revisions": []}, "revisions: Tuple should have at least 1 item"),
        ({"schema_version": 2}, "schema_version: Input should be 1"),
        ({"images": ["a"]}, "images: Extra inputs are not permitted"),
        ({"revisions": first_of(image_ids=["a"])}, "revisions.0.image_ids: Extra inputs"),
        ({"revisions": first_of(reason="boredom")}, "revisions.0.reason: Input should be"),
        ({"revisions": first_of(spec_digest="none")}, "revisions.0.spec_digest: String should match"),
        ({"revisions": first_of(images={"forget": -1, "remain": 1, "undetermined": 1})}, "images.forget: .* greater"),
        ({"revisions": first_of(images={"forget": "1", "remain": 1, "undetermined": 1})}, "images.forget: .* integer"),
        ({"revisions": first_of(version="0.3.0")}, "version 0.3.0 occurs twice"),
    ],
)
def test_a_document_of_another_form_is_refused_although_its_digest_fits(changes, message, tmp_path):
    write(tmp_path, **changes)
    with pytest.raises(ConfigError, match=message):
        Lineage.read(tmp_path)


def test_an_entry_is_checked_when_it_is_built():
    with pytest.raises(ValidationError, match="date"):
        entry(date="yesterday")


def test_the_lineage_is_that_of_the_weights(tmp_path):
    written = lineage()
    assert Lineage.read_for(tmp_path, {}) is None
    with pytest.raises(ConfigError, match=r"lineage.json is missing: the training record of the weights says"):
        Lineage.read_for(tmp_path, {"lineage_digest": written.digest})
    written.write(tmp_path)
    assert Lineage.read_for(tmp_path, {"lineage_digest": written.digest}) == written == Lineage.read_for(tmp_path, {})
    with pytest.raises(ConfigError, match=r"lineage.json is another one: .* Get the bundle as the revision wrote it"):
        Lineage.read_for(tmp_path, {"lineage_digest": lineage(entry()).digest})
