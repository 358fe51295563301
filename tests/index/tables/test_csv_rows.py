from __future__ import annotations

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.tables.csv_rows import csv_rows


@pytest.fixture
def rows(tmp_path):
    def read(content, delimiter=","):
        (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(csv_rows(tmp_path / "t.csv", delimiter))

    return read


def test_rows_have_the_values_of_their_lines(rows):
    assert rows('\ufeffa,b\r\n1,"x, ""y""\nz"\r\n\r\n2,\r\n') == [
        *(["a", "b"], ["1", 'x, "y"\nz'], ["", ""], ["2", ""])
    ]
    assert rows("a;b\n1;2", ";") == [["a", "b"], ["1", "2"]]
    assert rows("") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\nSECRET\n", "t.csv: not a well-formed CSV in line 3: expected 2 values as in the header, got 1."),
        ("a,b\n1,2,SECRET\n", "in line 2: expected 2 values as in the header, got 3."),
        ('a,b\n1,"x\ny"\n2,"SECRET\n3,z\n', "in line 4: a quote that opens there is never closed."),
        ('a,b\n1,"' + "SECRET" * 200_000, "in line 2: a quote that opens there is never closed."),
        ('a,b\n1,"x"SECRET\n', "in line 2: a quoted value goes on behind its quote."),
        (b"a,b\n1,\xff\n", "expected a table in UTF-8, got other bytes"),
    ],
)
def test_malformed_lines_are_named_and_not_quoted(content, message, rows):
    with pytest.raises(IndexReadError) as error:
        rows(content)
    assert message in str(error.value)
    assert "SECRET" not in str(error.value)
