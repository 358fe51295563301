"""The public demo as people see it: within another site's page, behind what ends TLS, two of them at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from browser import chromium
from demo_example import write_demo
from tls_front import tls_front

from monai_unlearn.safe_path import module_command, safe_environment

HOST, AROUND = "someone-studio.hf.space", "huggingface.co"
PAGE = f'<!doctype html><title>A Space</title><iframe src="https://{HOST}/" width="1200" height="800"></iframe>'


@pytest.fixture(scope="module")
def demo_port(tmp_path_factory):
    """A public demo; yields the port behind the proxy."""
    folder = tmp_path_factory.mktemp("public_browser")
    demo = write_demo(folder / "demo")
    words = ("studio", "--demo", str(demo.root), "--port", "0", "--behind-proxy", f"https://{HOST}")
    with subprocess.Popen(
        module_command("monai_unlearn", *words, folder=folder),
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
        env=dict(safe_environment()),
        cwd=folder,
    ) as process:
        try:
            line = next(line for line in process.stdout if line.startswith("The demo is open"))
            yield int(line.partition("(port ")[2].partition(" ")[0])
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser(demo_port, tmp_path_factory):
    folder = tmp_path_factory.mktemp("front")
    with tls_front(folder, port=demo_port) as inner, tls_front(folder, page=PAGE) as around:
        rules = f"MAP {HOST} 127.0.0.1:{inner}, MAP {AROUND} 127.0.0.1:{around}"
        with chromium(f"--host-resolver-rules={rules}", "--test-third-party-cookie-phaseout") as found:
            yield found


def opened(browser):
    """Return the frame of the demo within the other site's page."""
    page = browser.new_context(ignore_https_errors=True).new_page()
    page.set_default_timeout(60_000)
    page.goto(f"https://{AROUND}/spaces/someone/studio")
    return page.frame_locator("iframe")


def test_it_works_within_the_page_of_its_host_and_keeps_visitors_apart(browser):
    ada, bob = opened(browser), opened(browser)
    for frame in (ada, bob):
        frame.get_by_role("heading", name="A camera was retired").wait_for()
    ada.get_by_role("link", name="Cohort").first.click()
    text = ada.get_by_label("Text of the spec")
    text.fill("schema_version: 1\nname: of-ada\nreason: other\nforget: device == Old\n")
    ada.locator("#preview .headline", has_text="4 images of 2 patients would be forgotten").wait_for()
    ada.get_by_role("button", name="Save", exact=True).click()
    ada.get_by_text("Saved.").wait_for()
    bob.get_by_role("link", name="Cohort").first.click()
    bob.locator("#preview .headline, #faults li").first.wait_for()
    assert "of-ada" in ada.locator("body").inner_html()
    assert "of-ada" not in bob.locator("body").inner_html()


def test_another_site_cannot_show_it_within_its_page(browser, tmp_path):
    with tls_front(tmp_path, page=PAGE) as other:
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.goto(f"https://127.0.0.1:{other}/")
        page.wait_for_timeout(2_000)
        assert page.frame_locator("iframe").get_by_role("heading", name="A camera was retired").count() == 0
