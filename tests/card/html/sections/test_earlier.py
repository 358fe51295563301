from __future__ import annotations

from card_example import rich

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections.earlier import view


def test_each_earlier_revision_is_a_row():
    row = view(rich())["table"].rows[0]
    assert [cell.text for cell in row] == ["0.9.0 → 1.0.0", "2025-01-02", "gone", "other", "equivalent", "7", "5"]
    assert row[5].key == "/earlier/0/images/forget"


def test_a_first_revision_says_so():
    assert "this is the first revision" in to_html({**rich(), "earlier": []})
