from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from card_example import CLOSE, FULL, RETRAINED, SITES, build, rich
from evidence_example import evidence
from jsonpointer import JsonPointerException, resolve_pointer

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections import SECTIONS
from monai_unlearn.card.wording import estimate

MODELS = {"original": FULL, "revised": CLOSE, "revised_recalibrated": CLOSE, **RETRAINED}
DIFF = build(**MODELS)
RICH = rich()


class Page(HTMLParser):
    """Collects tags, attributes, ids, headings and the texts of figures."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.ids, self.links = set(), set(), [], []
        self.headings, self.figures, self._open, self._whole = [], [], None, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.add(tag)
        self.attributes |= set(found)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self._whole = found.get("class") == "whole"  # a part of a figure that stays on one line
        if self._whole:
            return
        self._open = None
        if tag == "h2":
            self.headings.append("")
            self._open = self.headings
        elif "data-key" in found:
            self.figures.append((found["data-key"], ""))
            self._open = self.figures

    def handle_endtag(self, _):
        self._open = self._open if self._whole else None
        self._whole = False

    def handle_data(self, data):
        if self._open is self.headings and self.headings:
            self.headings[-1] += data
        elif self._open is self.figures and self.figures:
            key, text = self.figures[-1]
            self.figures[-1] = (key, text + data)


PAGE = Page(to_html(DIFF))


def test_sections_stand_in_the_order_in_which_people_read_them():
    assert PAGE.headings == [
        "1. What to do",
        "2. What was asked, and whom it caught",
        "3. Did it forget?",
        "4. What it costs patients",
        "5. Is the forgetting real?",
        "6. What was declared before the run",
        "7. Revised against retrained: what it costs",
        "8. Limits, and what is undecided",
        "9. Earlier revisions",
        "10. Identity, and the way back",
        "Appendix: every figure, settings, JSON",
    ]
    assert [section.name for section in SECTIONS] == [one for one in PAGE.ids if one in {s.name for s in SECTIONS}]


def forms(value):
    """Return how a value may begin on the page: as a share, in points, as a plain number or a count."""
    if value is None:
        return ("–", "not judged")
    shown = {f"{value:,}", f"{value:,.0f}", f"{value:.3f}", f"{value:+.3f}", f"{value:.2f}", f"{value:.0f}"}
    shown |= {f"{100 * value:{form}}" for form in (".1f", "+.1f", "g")}
    return tuple(shown)


@pytest.mark.parametrize("diff", [DIFF, RICH], ids=["plain", "rich"])
def test_every_figure_shows_what_stands_at_its_key(diff):
    found = evidence(**MODELS)
    figures = Page(to_html(diff)).figures
    assert len(figures) > 300
    for key, text in figures:
        if key.startswith("/slices/"):
            continue  # the evidence of these examples has none: see the test below
        try:
            value = resolve_pointer(found, key)
        except JsonPointerException:
            value = resolve_pointer(diff, key)
        if not isinstance(value, list):
            assert text.startswith(forms(value)), (key, text, value)


def test_figures_of_subgroups_are_found_by_their_keys():
    rows = {row["key"]: row for row in RICH["subgroups"]["rows"]}
    shown = [(key, text) for key, text in Page(to_html(RICH)).figures if key.startswith("/slices/")]
    assert len(shown) == 4 * 4
    sites = [one for one in Page(to_html(RICH)).figures if one[0].startswith("/subgroups/rows/")]
    assert len(sites) == 2 * 4
    row = rows["sensitivity/remain/test/sex/F"]
    assert ("/slices/revised/remain/test/sex/F/sensitivity/value", estimate(row["after"])) in shown


def test_every_id_is_unique_and_every_link_leads_somewhere():
    page = Page(to_html(RICH))
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_nothing_in_the_page_is_run_or_loaded():
    hostile = (
        '<script>alert(1)</script> [a](javascript:alert(1)) ![b](http://x/y.png) <http://x> "><img src=x onerror=1'
    )
    diff = build(**MODELS, cohort={"name": hostile, "forget": hostile, "asked": _asked(hostile)})
    diff["base"]["name"] = diff["bundle"]["task"] = hostile
    diff["warnings"] = [hostile]
    diff["modification"]["cohort"]["attrition"][0]["rule"] = hostile
    text = to_html(diff)
    page = Page(text)
    assert not {"script", "img", "iframe", "link", "object", "base", "form"} & page.tags
    assert not {"src", "onerror", "onload", "onclick"} & page.attributes
    assert all(link.startswith("#") for link in page.links)
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text
    assert "url(" not in text
    assert "@import" not in text


def _asked(text):
    part = {"text": text, "parts": []}
    return {"forget": {"text": "all of these hold:", "parts": [part, part]}, "population": part}


def test_plots_have_text_alternatives_and_tables():
    text = to_html(RICH)
    plots = re.findall(r'<svg class="plot" role="img" aria-labelledby="([^"]+)"', text)
    assert len(plots) >= 8
    for ids in plots:
        for one in ids.split():
            assert re.search(rf'id="{re.escape(one)}">[^<]+<', text), one
    assert "b, forgotten images, trained on; 50 patients: original 68 %" in text
    assert "The figures of this plot" in text
    assert "allowed are" in text


def test_the_card_is_embedded_as_text():
    text = to_html(RICH)
    embedded = re.search(r'<pre id="card-json">(.*?)</pre>', text, re.DOTALL)[1]
    assert json.loads(unescape(embedded)) == json.loads(json.dumps(RICH))


def test_institutions_are_not_named():
    text = to_html(RICH)
    assert not any(name in text for name in SITES)
    assert "site 2, 30 patients" in text


def test_control_characters_are_shown_by_their_codes():
    diff = build(**MODELS, cohort={"name": "a\x1b[31mb\u202e"})
    assert "\x1b" not in to_html(diff)
    assert "\u202e" not in to_html(diff)


def test_a_part_without_images_is_a_dash():
    diff = build(**MODELS)
    diff["forgetting"] = {**diff["forgetting"], "change": None}
    row = diff["metrics"][0]
    row.update(n=0, change={"value": None, "interval": None})
    row["before"] = row["after"] = {"value": None, "interval": None}
    assert "There are no forgotten images to measure it on." in to_html(diff)
