"""A headless Chromium of the system, driven by Playwright; tests that need it are skipped where it is missing."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "Chromium is missing: the page is not looked at (on Debian: apt-get install chromium)"


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Start the browser, with further arguments; it is closed in the end."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(MISSING)
    sync_playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing").sync_playwright
    with sync_playwright() as driver:
        # The sandbox of Chromium does not start for root, as whom containers run.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=path, args=[*sandbox, *arguments])
        try:
            yield browser
        finally:
            browser.close()
