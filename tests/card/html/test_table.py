from __future__ import annotations

from monai_unlearn.card.html.table import Cell, Table, cells


def test_texts_stand_left_and_right_of_numbers():
    table = Table(caption="Some", headings=("a", "b", "c", "d"), rows=[], texts=2, tail=1)
    assert [table.is_text(column) for column in range(4)] == [True, True, False, True]


def test_cells_of_texts_have_no_key():
    row = cells("a", Cell("1 %", "/a/b", shade=-2))
    assert [(one.text, one.key, one.shade) for one in row] == [("a", None, 0), ("1 %", "/a/b", -2)]
