from __future__ import annotations

from html.parser import HTMLParser

from card_example import build

from monai_unlearn.card import to_markdown
from monai_unlearn.card.html import to_html

COUNTS = {"forget": 90, "remain": 90}


class _Page(HTMLParser):
    """Collects tags, attributes and the texts of cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.cells = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


def test_the_page_has_every_row_of_the_markdown():
    diff = build(original=COUNTS, revised=COUNTS)
    page = _Page(to_html(diff))
    rows = [line for line in to_markdown(diff).splitlines() if line.startswith("|") and "---" not in line]
    assert len(page.cells) == sum(row.replace("\\|", "").count("|") - 1 for row in rows)
    assert "90.0 % (82.6–94.5)" in map(str.strip, page.cells)
    assert {"h1", "h2", "table", "li"} <= page.tags


def test_nothing_in_the_page_is_run_or_loaded():
    diff = build(original=COUNTS, revised=COUNTS)
    hostile = (
        '<script>alert(1)</script> [a](javascript:alert(1)) ![b](http://x/y.png) <http://x> "><img src=x onerror=1'
    )
    diff["modification"]["cohort"]["name"] = hostile
    diff["base"]["name"] = hostile
    diff["warnings"] = [hostile]
    page = _Page(to_html(diff))
    assert not {"script", "img", "a", "iframe", "link"} & page.tags
    assert not {"src", "href", "onerror"} & page.attributes


def test_a_wide_table_scrolls_in_a_container_of_its_own():
    text = to_html(build(original=COUNTS, revised=COUNTS))
    assert text.count('<div class="table"') == text.count("<table>") == text.count("</table></div>") > 1
    assert ".table { overflow-x: auto;" in text
    assert '<meta name="viewport" content="width=device-width' in text
