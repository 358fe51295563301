"""The demo as somebody walks it who never saw the tool: from nothing to a model that is deployed and taken back."""

from __future__ import annotations

from importlib import resources

import pytest
from browser import chromium
from demo_example import write_demo, write_run
from nightly import nightly
from studio_process import studio_process

SECONDS = 1_200
"""What a revision may take on a machine that is busy with all other tests."""


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


def opened(browser, running):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(running.link)
    return page


def follow(page, name):
    """Click what the line of the demo offers."""
    page.locator(".guide").get_by_role("link", name=name).click()


def act(page, name, button):
    """Do what the line of the demo says: a reason, and a click."""
    form = page.locator(f"form[action='/release/{name}']")
    form.get_by_label("Reason, which the ledger keeps").fill("it says so")
    form.get_by_role("button", name=button).click()


def decide(page):
    """Sign, deploy and take back."""
    assert page.get_by_text("Demo, step 4 of 6: sign it, as the one who revised.").is_visible()
    act(page, "sign", "Sign")
    page.get_by_text("Signed. The ledger has a line for it.").wait_for()
    assert page.get_by_text("Demo, step 5 of 6").is_visible()
    act(page, "promote", "Deploy")
    page.get_by_text("Deployed. The ledger has a line for it.").wait_for()
    assert page.get_by_text("Demo, step 6 of 6").is_visible()
    act(page, "rollback", "Roll back")
    page.get_by_text("The version before is deployed again.").wait_for()
    assert page.locator(".guide").count() == 0
    page.get_by_role("link", name="Demo").click()
    page.get_by_text("You have done all of it.").wait_for()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A demo in which a revision is done already."""
    folder = tmp_path_factory.mktemp("walk")
    demo = write_demo(folder / "demo")
    write_run(demo)
    with studio_process("--demo", str(demo.root), folder=folder) as found:
        yield found


def test_axe_finds_no_violation_on_the_page_of_the_demo_and_in_its_line(browser, running):
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python, which holds axe-core, is missing")
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(running.link)
    for path in ("demo", "release"):
        page.goto(f"{running.origin}/{path}")
        page.evaluate(axe)
        for width, scheme in ((390, "dark"), (1280, "light")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("axe.run()")
            assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], (path, width, scheme)
    context.close()


def test_whoever_follows_the_line_gets_to_the_end(browser, running):
    page = opened(browser, running)
    page.get_by_role("link", name="Go on: read whether it did").click()
    page.get_by_text("Demo, step 3 of 6").wait_for()
    follow(page, "Go on: sign it")
    decide(page)
    for width in (390, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


@nightly
def test_a_newcomer_retires_a_camera(browser, tmp_path):
    with studio_process("--demo", str(tmp_path / "demo"), folder=tmp_path) as running:
        page = opened(browser, running)
        page.get_by_role("link", name="Begin: look at whom the model must forget").click()
        page.locator("#preview .headline", has_text="would be forgotten").wait_for()
        follow(page, "Go on: make the model forget them")
        page.get_by_role("button", name="Start", exact=True).click()
        page.get_by_role("link", name="Look at the evidence").wait_for(timeout=SECONDS * 1_000)
        follow(page, "Go there")
        page.get_by_role("heading", name="What does the evidence say?").wait_for()
        follow(page, "Go on: sign it")
        assert "retire-cirrus-02, accepted" in page.locator("#bundle").input_value()
        decide(page)
        page.context.close()
