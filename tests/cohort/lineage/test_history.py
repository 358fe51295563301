from __future__ import annotations

import json

import pytest
from lineage_example import lineage

from monai_unlearn.cohort.lineage.history import history
from monai_unlearn.errors import ConfigError


@pytest.fixture
def bundle(tmp_path):
    for name, content in (("configs/metadata", {"version": "0.3.0", "name": "Eyes"}), ("models/training", {})):
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


def test_every_revision_is_named(bundle):
    lineage().write(bundle)
    found = history(bundle)
    assert (found["name"], found["version"], found["digest"]) == ("Eyes", "0.3.0", lineage().digest)
    assert [one["cohort"] for one in found["revisions"]] == ["retire-old", "withdrawn"]
    assert found["revisions"] == json.loads((bundle / "lineage.json").read_text(encoding="utf-8"))["revisions"]


def test_a_bundle_that_was_never_revised_has_no_revisions(bundle):
    (bundle / "models" / "training.json").unlink()
    found = history(bundle)
    assert (found["revisions"], found["digest"]) == ([], None)


def test_a_removed_lineage_is_missed(bundle):
    (bundle / "models" / "training.json").write_text('{"lineage_digest": "sha256:…"}', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"lineage.json is missing: the training record of the weights says"):
        history(bundle)
    lineage().write(bundle)
    with pytest.raises(ConfigError, match=r"lineage.json is another one"):
        history(bundle)


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_another_folder_is_refused(content, tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match="expected a MONAI bundle"):
        history(tmp_path)
