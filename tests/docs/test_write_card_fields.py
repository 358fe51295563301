"""The table of `docs/card.md` is that of `card/fields.py`, and its pictures are there."""

from __future__ import annotations

import re
import sys

from script import ROOT, load_script

sys.path.append(str(ROOT / "docs"))  # the writers share a module
MODULE = load_script("docs/write_card_fields.py")


def test_the_page_has_the_table_of_the_fields():
    assert MODULE.TARGET.read_text(encoding="utf-8") == MODULE.document(), "run: python docs/write_card_fields.py"


def test_pictures_are_there_and_small():
    names = re.findall(r"\((card_\w+\.png)\)", MODULE.TARGET.read_text(encoding="utf-8"))
    assert len(names) == 5
    for name in names:
        assert (ROOT / "docs" / name).stat().st_size < 200 * 1024
