from __future__ import annotations

import re
from importlib import resources

from studio_client import Visitor

from monai_unlearn.studio.pages import environment, stylesheet

# What a policy of `default-src 'self'` would stop, and what would run a value.
REFUSED = re.compile(
    r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=\"/static/)|https?://|hx-on|hx-vals|\|\s*safe"
)


def test_no_template_has_inline_script_or_style_or_leads_outside():
    folder = resources.files("monai_unlearn.studio").joinpath("templates")
    templates = [one for one in folder.iterdir() if one.name.endswith(".jinja")]
    assert len(templates) >= 7
    for template in templates:
        assert not REFUSED.search(template.read_text(encoding="utf-8")), template.name


def test_the_sections_of_the_card_have_none_either():
    for name in ("asked", "macros", "real", "forgot", "patients", "verdict", "criteria", "limits"):
        source = environment().loader.get_source(environment(), f"{name}.html.jinja")[0]
        assert not REFUSED.search(source), name


def test_the_style_is_that_of_the_card():
    assert "--ground" in stylesheet()
    assert "url(" not in stylesheet()


def test_htmx_is_the_released_file_with_its_licence():
    static = resources.files("monai_unlearn.studio").joinpath("static")
    script = static.joinpath("htmx.min.js").read_text(encoding="utf-8")
    assert 'version:"2.0.8"' in script
    assert "Zero-Clause BSD" in static.joinpath("htmx.LICENSE.txt").read_text(encoding="utf-8")


def test_values_are_escaped_and_cannot_steer(tmp_path):
    visitor = Visitor(work=tmp_path / "work")
    page = visitor.post("/cohort/save", {"text": "<b>\x1b[31m\u202e", "name": "new"}).text
    assert "&lt;b&gt;" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
