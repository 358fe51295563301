from __future__ import annotations

import re
from pathlib import Path

import monai_unlearn
from monai_unlearn.version import __version__

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def test_there_is_one_version():
    (declared,) = re.findall(r'^version = "(.+)"$', PROJECT.read_text(encoding="utf-8"), re.MULTILINE)
    assert monai_unlearn.__version__ == __version__ == declared
