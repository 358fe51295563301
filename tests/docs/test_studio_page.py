"""The page on the studio has pictures of every page at two widths, small enough for a repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from monai_unlearn.studio.pages import DEMO_PAGES

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDTHS = {"desktop": 1280, "phone": 390}
LARGEST = 200 * 1024


@pytest.mark.parametrize("name", [address.strip("/") for address, *_ in DEMO_PAGES])
@pytest.mark.parametrize("size", WIDTHS)
def test_each_page_is_shown_at_two_widths(name, size):
    path = DOCS / f"studio_{name}_{size}.png"
    assert f"({path.name})" in (DOCS / "studio.md").read_text(encoding="utf-8")
    assert path.stat().st_size <= LARGEST
    with Image.open(path) as picture:
        assert picture.width == WIDTHS[size]


def test_no_picture_is_left_over():
    shown = re.findall(r"\((studio_[^)]+)\)", (DOCS / "studio.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(path.name for path in DOCS.glob("studio_*.png"))
