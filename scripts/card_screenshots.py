"""Take the pictures of `docs/card.md`: the card of a run on a phone, a desktop and paper.

    python scripts/card_screenshots.py build/demo/fundus_classifier/default/evidence/model_card_diff.html

Needs Chromium and Playwright, as the tests of the page do.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

DOCS = Path(__file__).resolve().parents[1] / "docs"
PHONE, DESKTOP, PAPER = {"width": 390, "height": 844}, {"width": 1280, "height": 900}, {"width": 688, "height": 973}
# Name, size of the window, colours, medium, and the section that is shown.
VIEWS = (
    ("card_phone", PHONE, "light", "screen", None),
    ("card_phone_dark", PHONE, "dark", "screen", "forgot"),
    ("card_desktop", DESKTOP, "light", "screen", None),
    ("card_desktop_dark", DESKTOP, "dark", "screen", "patients"),
    ("card_print", PAPER, "light", "print", None),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("card", type=Path, help="model_card_diff.html of a run")
    parser.add_argument("--out", type=Path, default=DOCS)
    options = parser.parse_args()
    with chromium() as browser:
        for name, size, colours, medium, section in VIEWS:
            page = browser.new_context(viewport=size, color_scheme=colours).new_page()
            page.emulate_media(media=medium, color_scheme=colours)
            page.goto(options.card.resolve().as_uri() + (f"#{section}" if section else ""))
            write(page, options.out / f"{name}.png")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


def write(page: Page, path: Path) -> None:
    """Write what the window shows, in few colours: a picture of text needs no more."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
