"""What `docs/traps.md` shows is what the tool says today."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from script import ROOT, load_script

sys.path.append(str(ROOT / "docs"))  # the writers share a module
MODULE = load_script("docs/write_traps.py")
CONTENT = yaml.safe_load(MODULE.TRAPS.read_text(encoding="utf-8"))
TRAPS = {trap["title"]: trap for chapter in CONTENT["chapters"] for trap in chapter["traps"]}


def _sections():
    """The sections of the page by their titles, and what stands before the first."""
    head, *sections = MODULE.TARGET.read_text(encoding="utf-8").split("\n### ")
    return head, dict(section.split("\n", 1) for section in sections)


@pytest.mark.parametrize("title", TRAPS)
def test_the_page_shows_what_the_tool_says(title):
    shown = _sections()[1][title].partition("\n## ")[0]
    assert shown.strip() == MODULE.joined(MODULE.section(TRAPS[title])).strip(), "run: python docs/write_traps.py"


def test_the_page_has_every_trap_and_chapter():
    head, sections = _sections()
    assert list(sections) == list(TRAPS)
    assert CONTENT["introduction"].strip() in head
    text = MODULE.TARGET.read_text(encoding="utf-8")
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        chapter["title"] for chapter in CONTENT["chapters"]
    ]


def test_the_working_folder_is_left_as_it_was():
    before = Path.cwd()
    list(MODULE.section(TRAPS["Two spaces"]))
    assert Path.cwd() == before
