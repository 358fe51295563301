"""What `docs/traps.md` shows is what the tool says today."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def _module():
    path = ROOT / "docs" / "write_traps.py"
    spec = importlib.util.spec_from_file_location("write_traps", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULE = _module()
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
