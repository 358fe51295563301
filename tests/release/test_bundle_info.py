from __future__ import annotations

import json
from pathlib import Path

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.bundle_info import BundleInfo


@pytest.fixture
def root(tmp_path):
    (tmp_path / "some_bundle" / "configs").mkdir(parents=True)
    return tmp_path / "some_bundle"


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="metadata.json is missing: .* is not a MONAI bundle"):
        BundleInfo.read(tmp_path)


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"version": "one"}', b"[]", b"\xff"])
def test_broken_metadata_is_refused(root, content):
    (root / "configs" / "metadata.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"expected JSON with a 'version' like 1\.2\.3"):
        BundleInfo.read(root)


def test_the_folder_names_a_bundle_without_name(root):
    (root / "configs" / "metadata.json").write_text(json.dumps({"version": "2.0"}))
    info = BundleInfo.read(root)
    assert (info.name, info.version, info.next_version) == ("some_bundle", "2.0", "2.1.0")


def test_the_version_of_a_composition_comes_after_those_that_it_is_made_of():
    info = BundleInfo(root=Path(), name="a", version="1.9.0", metadata={}, successors=("1.10.0", "1.9.5"))
    assert info.next_version == "1.11.0"
