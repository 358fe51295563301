"""The page in a real browser: on a phone, a desktop and paper, light and dark, by keyboard and for a screen reader."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from browser import chromium
from card_example import CLOSE, FULL, build, rich
from nightly import nightly
from two_bundles import weights, write_bundle

from monai_unlearn.card.bundles.compare import compare_bundles
from monai_unlearn.card.bundles.renderers import difference_as
from monai_unlearn.card.html import to_html

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# A4 is 210 mm wide, of which the page's style leaves 14 mm on either side; a CSS pixel is 1/96 inch.
PAPER = {"width": int((210 - 2 * 14) / 25.4 * 96), "height": 1000}
CARDS = {"rich": rich(), "bare": build(original=FULL, revised=CLOSE)}
# Lists what is wider than the window and does not scroll by itself.
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".table, .skip, svg"))
  .map(one => one.outerHTML.slice(0, 80))"""
WIDE_TABLES = """() => [...document.querySelectorAll(".table")]
  .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText.slice(0, 60))"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=nightly) if name == "bare" else name for name in CARDS]
)
def card(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("card") / "card.html"
    path.write_text(to_html(CARDS[request.param]), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser, card):
    """Open the card in a window of its own."""
    contexts = []

    def start(**settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.requests = []
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(card)
        return page

    yield start
    for context in contexts:
        context.close()


def views(page):
    """Show the page at the sizes of a phone and a desktop, in light and in dark colours."""
    for size in (PHONE, DESKTOP):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            yield size, scheme


def test_nothing_overflows_and_nothing_else_is_loaded(opened, card):
    page = opened()
    for size, scheme in views(page):
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], scheme
        assert page.evaluate(TOO_WIDE) == []
    assert page.requests == [card]


def test_axe_finds_no_violation(opened):
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python, which holds axe-core, is missing")
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page = opened(bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.evaluate(axe)
    for size, scheme in views(page):
        found = page.evaluate("axe.run()")
        violations = [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in found["violations"]]
        assert violations == [], (size, scheme)
        assert len(found["passes"]) > 20


def test_the_page_of_two_bundles_fits_and_has_no_violation(browser, tmp_path):
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python, which holds axe-core, is missing")
    long = {"description": "word" * 200, "version": "2.0.0"}
    bundles = write_bundle(tmp_path / "a"), write_bundle(tmp_path / "b", metadata=long, state=weights(0.5))
    (tmp_path / "card.html").write_text(difference_as("html", compare_bundles(*bundles)), encoding="utf-8")
    page = browser.new_context(viewport=PHONE, bypass_csp=True).new_page()
    page.goto((tmp_path / "card.html").as_uri())
    assert page.evaluate(TOO_WIDE) == []
    page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    assert [one["id"] for one in page.evaluate("axe.run()")["violations"]] == []
    page.context.close()


def test_on_paper_every_table_fits_and_folded_figures_are_shown(opened):
    page = opened(viewport=PAPER)
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]
    assert page.evaluate(WIDE_TABLES) == []
    assert page.locator("#appendix .table").first.is_visible()
    assert not page.locator("#card-json").is_visible()
    # A4 in points.
    assert re.search(rb"/MediaBox \[0 0 59[45]\S* 84[12]\S*\]", page.pdf(prefer_css_page_size=True))


def test_without_script_everything_is_there(opened):
    page = opened(java_script_enabled=False, viewport=PHONE)
    assert page.locator("h2").count() == 11
    assert page.locator("#verdict .action").is_visible()


def test_the_policy_of_the_page_forbids_loading_and_running(opened):
    page = opened()
    broken = page.evaluate(
        """() => new Promise(resolve => {
          addEventListener("securitypolicyviolation", event => resolve(event.effectiveDirective));
          const image = document.createElement("img");
          image.src = "https://example.org/spy.png";
          document.body.append(image);
          setTimeout(() => resolve(null), 3000);
        })"""
    )
    assert broken == "img-src"


def test_the_keyboard_reaches_the_verdict_the_sections_and_every_wide_table(opened):
    page = opened(viewport=PHONE)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    assert page.evaluate("[...document.querySelectorAll('.table')].every(one => one.tabIndex === 0)")
    page.keyboard.press("Enter")
    assert page.url.endswith("#verdict")
