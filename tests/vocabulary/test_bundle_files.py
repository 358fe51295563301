from __future__ import annotations

from pathlib import PurePath

import pytest

from monai_unlearn.vocabulary.bundle_files import config_files, is_weights, large_files


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def test_configs_are_yaml_and_json_at_any_depth(tmp_path):
    make(tmp_path, "configs/metadata.json", "configs/a.JSON", "configs/b.yaml", "configs/c/d.yml", "configs/l.conf")
    assert [path.name for path in config_files(tmp_path)] == ["a.JSON", "b.yaml", "d.yml"]


def test_lists_of_downloads_at_any_depth(tmp_path):
    make(tmp_path, "large_files.yml", "extra/large_files.json", "large_files.txt")
    assert [path.relative_to(tmp_path).as_posix() for path in large_files(tmp_path)] == [
        "extra/large_files.json",
        "large_files.yml",
    ]


@pytest.mark.parametrize(
    ("name", "found"),
    [("models/model.pt", True), ("model.PTH", True), ("m.ckpt.gz", True), ("m.npz", True), ("a.py", False)],
)
def test_weights_are_told_by_their_names(name, found):
    assert is_weights(PurePath(name)) is found
