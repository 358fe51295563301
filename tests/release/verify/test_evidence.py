from __future__ import annotations

import json

import pytest
from lineage_example import entry, lineage

from monai_unlearn.cohort.resolve.manifest import SCHEMA_VERSION, read_manifest, write_manifest
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.release.verify import evidence
from monai_unlearn.release.verify.evidence import compare_evidence

MANIFEST = {"schema_version": SCHEMA_VERSION, "images": {"forget": 2}}


@pytest.fixture
def out(tmp_path, monkeypatch):
    # What a whole manifest holds is the matter of its own tests.
    monkeypatch.setattr(evidence, "read_manifest", _read)
    (tmp_path / "evidence").mkdir()
    (tmp_path / "revised_bundle" / "docs").mkdir(parents=True)
    for folder in ("evidence", "revised_bundle/docs"):
        (tmp_path / folder / "model_card_diff.json").write_text("{}")
    write_manifest(MANIFEST, tmp_path / "evidence" / "cohort_manifest.json")
    return tmp_path


def _read(path):
    content = json.loads(path.read_text())
    if content.pop("digest") != digest_of(content):
        return read_manifest(path)
    return content


def lines(out, digest=None):
    history = lineage(entry(manifest_digest=digest or digest_of(MANIFEST)))
    return [fault.line for fault in compare_evidence(out / "revised_bundle", history)]


def test_evidence_that_fits(out):
    assert not lines(out)


def test_another_manifest_is_named(out):
    wanted = "sha256:" + "1" * 64
    found = f"evidence/cohort_manifest.json: has the digest {digest_of(MANIFEST)}; "
    assert lines(out, wanted) == [f"{found}lineage.json of the bundle says {wanted}."]
    path = out / "evidence" / "cohort_manifest.json"
    path.write_text(path.read_text().replace("2", "3"))
    assert lines(out)[0].startswith(
        "evidence/cohort_manifest.json: is damaged; lineage.json of the bundle says sha256:"
    )


def test_another_card_is_named(out):
    (out / "evidence" / "model_card_diff.json").write_text("{ }")
    assert lines(out) == ["evidence/model_card_diff.json: differs from the card in the bundle."]


def test_a_bundle_elsewhere_has_no_evidence(out):
    (out / "revised_bundle").rename(out / "deployed")
    assert not list(compare_evidence(out / "deployed", lineage()))
