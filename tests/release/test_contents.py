from __future__ import annotations

from pathlib import PurePath

import pytest

from monai_unlearn.release.contents import all_files, is_left_behind, other_weights


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("models", True),
        ("models/model.pt", True),
        ("scripts/models", False),
        ("scripts/eval/a.py", False),
        ("eval", True),
        ("mlruns.db", True),
        ("scripts/__pycache__", True),
        ("docs/.hidden", True),
        ("docs/model.TS", True),
        ("SHA256SUMS", True),
        ("docs/SHA256SUMS", False),
        ("LICENSE", False),
    ],
)
def test_what_is_left_behind(name, left):
    assert is_left_behind(PurePath(name)) == left


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def test_all_files_are_all_files(tmp_path):
    make(tmp_path, "a", ".git/hooks/b", "c/.d")
    (tmp_path / "link").symlink_to(tmp_path / "c")
    assert [path.relative_to(tmp_path).as_posix() for path in all_files(tmp_path)] == [
        "a",
        "link",
        ".git/hooks/b",
        "c/.d",
    ]


def test_other_weights(tmp_path):
    make(tmp_path, "models/model.pt", "models/model.ts", "models/b.pth", "models/snapshots/1.pt", "x.onnx")
    assert other_weights(tmp_path) == ["models/b.pth", "x.onnx"]
