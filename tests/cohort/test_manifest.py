from __future__ import annotations

import json
import os

import pytest

from monai_unlearn.cohort.canonical import canonical_json, digest_of
from monai_unlearn.cohort.manifest import write_manifest
from monai_unlearn.errors import CohortError

MANIFEST = {"schema_version": 1, "image_ids": {"forget": ["ä"]}}


def test_the_file_carries_the_digest_of_all_else(tmp_path):
    path = tmp_path / "new" / "cohort.json"
    digest = write_manifest(MANIFEST, path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert path.read_text(encoding="utf-8") == canonical_json(content)
    assert content.pop("digest") == digest == digest_of(content)
    assert os.listdir(path.parent) == ["cohort.json"]  # noqa: PTH208 - hidden files count too


def test_a_frozen_cohort_is_not_overwritten_by_accident(tmp_path):
    path = tmp_path / "cohort.json"
    path.write_text("precious")
    with pytest.raises(CohortError, match=r"cohort\.json: expected a new file, got one that exists\. .* --force"):
        write_manifest(MANIFEST, path)
    assert path.read_text() == "precious"
    write_manifest(MANIFEST, path, overwrite=True)
    assert json.loads(path.read_text())["schema_version"] == 1


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CohortError, match="cannot be written"):
        write_manifest(MANIFEST, tmp_path / "file" / "cohort.json")
    with pytest.raises(CohortError, match="cannot be written"):
        write_manifest(MANIFEST, tmp_path, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["file"]  # noqa: PTH208 - hidden files count too
