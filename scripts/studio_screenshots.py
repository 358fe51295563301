"""Take the pictures of `docs/studio.md`: every page of the studio's demo, on a phone and on a desktop.

    make studio-screenshots                                # in build/studio_demo, which is prepared where it is not
    python scripts/studio_screenshots.py DIR --out docs    # of a demo in DIR

Where the demo has no revision yet, one is run first, by the page. Needs Chromium and Playwright, as the tests of the
pages do.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from card_screenshots import DESKTOP, DOCS, PHONE, chromium, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

SPEC = "retire-cirrus-02"
ACTS = {"sign": "Sign", "promote": "Deploy", "rollback": "Roll back"}
WAIT = 15 * 60 * 1000
"""Milliseconds that a revision may take on a busy machine."""
LARGEST = 200 * 1024
SIZES = {"desktop": DESKTOP, "phone": PHONE}


@contextmanager
def studio(demo: Path) -> Iterator[str]:
    """Open the studio on a demo, and yield its link."""
    command = [sys.executable, "-m", "monai_unlearn", "studio", "--demo", str(demo), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                print(line, end="")
                if found := re.search(r"https?://\S+/\?token=\S+", line):
                    yield found[0]
                    return
            raise SystemExit(process.wait())
        finally:
            process.terminate()


def revised(page: Page) -> str:
    """Return the address of the evidence of a revision on the page Revise; run one where there is none."""
    link = page.get_by_role("link", name="Look at the evidence")
    if not link.count():
        if not page.locator("#run").count():
            page.get_by_role("button", name="Start", exact=True).click()
        link.wait_for(timeout=WAIT)
    return str(link.get_attribute("href"))


def decide(page: Page, address: str) -> None:
    """Sign, deploy and roll back what was not yet: the line that tells what comes next is gone then."""
    for act, button in ACTS.items():
        page.goto(address)
        told = page.locator(".guide")
        if told.count() and f"press {button}" in told.inner_text():
            form = page.locator(f"form[action='/release/{act}']")
            form.get_by_label("Reason, which the ledger keeps").fill("as the card says")
            form.get_by_role("button", name=button).click()
            page.get_by_role("status").first.wait_for()


def views(evidence: str) -> dict[str, str]:
    """Return the address of each page by the name of its picture."""
    bundle = evidence.partition("?")[2]
    return {
        "demo": "/demo",
        "cohort": f"/cohort?spec={SPEC}",
        "revise": "/revise",
        "evidence": evidence,
        "release": f"/release?{bundle}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path, help="the demo's folder")
    parser.add_argument("--out", type=Path, default=DOCS)
    options = parser.parse_args()
    with studio(options.demo) as link, chromium() as browser:
        origin = link.partition("/?")[0]
        page = browser.new_context(viewport=DESKTOP, color_scheme="light").new_page()
        page.goto(link)
        page.goto(f"{origin}/revise")
        pages = views(revised(page))
        decide(page, f"{origin}{pages['release']}")
        for name, address in pages.items():
            for size, viewport in SIZES.items():
                page.set_viewport_size(viewport)
                page.goto(f"{origin}{address}")
                page.wait_for_load_state("networkidle")
                # Of a run, a picture of its end says more than one of the empty form.
                if name == "revise":
                    page.locator("#run").scroll_into_view_if_needed()
                path = options.out / f"studio_{name}_{size}.png"
                write(page, path)
                if path.stat().st_size > LARGEST:
                    raise SystemExit(f"{path}: larger than {LARGEST // 1024} KiB")


if __name__ == "__main__":
    main()
