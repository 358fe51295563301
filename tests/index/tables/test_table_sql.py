"""DuckDB types the text of a table as `values.py` types that of a file."""

from __future__ import annotations

import datetime as dt
import random
import re

import duckdb
import pytest

from monai_unlearn.index import doubts, values
from monai_unlearn.index.tables.spellings import day_of, is_missing
from monai_unlearn.index.tables.spellings import is_day as is_day_in_python
from monai_unlearn.index.tables.table_sql import (
    cleaned,
    from_text,
    is_day,
    is_number,
    is_placeholder_age,
    literal,
    partial_entry,
    quoted,
    several_entry,
    uid,
)
from monai_unlearn.vocabulary.fields import Kind

SEEDS = {
    Kind.DATE: [
        *("20180605", "2018.06.05", "20240231", "20240229", "00000101", "***", "201806", "2018-06-05", "2018/06/05"),
        *("20180605.0", "2018-06-05 00:00:00", "2018-06-05T10:11:12.5Z", "2018/6/5", "05.06.2018", "06/05/2018"),
    ],
    Kind.DATETIME: [
        "20180605101112.5+0100",
        "20180605",
        "2018060510",
        "201806051011",
        "20180605101112.123456",
        "20180605250000",
        "20180605235960",
        "20189999",
        "201806",
        "20180605-0500",
        "2018-06-05 10:11:12",
        "2018-06-05T10:11:12.5Z",
        "2018/06/05 10:11+01:00",
        "2018-06-05",
    ],
    Kind.AGE: ["045Y", "45Y", "000Y", "018M", "010D", "003W", "***", "45", "045y", "1234Y", "Y"],
    Kind.NUMBER: [
        *("1.5", "-3", "+.5", "1e3", "1E-2", "1,5", "1_000", "NaN", "inf", "1e999", "5.", ".", "0x1", "007"),
        *("2.5\\5", "5\\5.0", "5\\", "\\", "5 \\ 2.50", "5\\x"),
    ],
}
UIDS = ["1.2.840", "1", "1.", ".1", "1..2", "a", "1.2.x", "1" * 64, "1" * 65, "1.02"]


def _mutated(seeds: list[str]) -> list[str]:
    """Every seed, and hundreds of texts that differ from one by a character or two."""
    random_ = random.Random(4)  # noqa: S311 - seeded texts, no secrets
    letters = "0123456789.+-YMWDe* :T"
    found = set(seeds)
    for _ in range(600):
        text = list(random_.choice(seeds))
        for _ in range(random_.randint(1, 2)):
            text[random_.randrange(len(text))] = random_.choice(letters)
        found.add("".join(text))
    return sorted(text.strip() for text in found if text.strip())


def _ask(texts: list[str], expression: str) -> list[object]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (n INTEGER, x VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", list(enumerate(texts)))
        return [row[0] for row in connection.sql("FROM t ORDER BY n").project(expression).fetchall()]


def _python(kind: Kind, text: str) -> object:
    """The result of `values.py`; days of tables are those of `spellings.py`, and may have a time behind them."""
    if kind is Kind.DATE:
        return day_of(text)
    if kind is Kind.DATETIME and text[4:5] in ("-", "/"):
        day, _, time = text.replace("T", " ").partition(" ")
        time = re.sub(r"(Z|[+-]\d\d:?\d\d)$", "", time)
        if not re.fullmatch(r"(\d\d:\d\d(:\d\d(\.\d+)?)?)?", time):
            return None
        try:
            return dt.datetime.combine(day_of(day), dt.time.fromisoformat(time or "00:00"))
        except (TypeError, ValueError):
            return None
    if kind is Kind.NUMBER and "\\" in text:
        found = values.distinct(kind, text)
        return found[0] if len(found) == 1 else None
    # DuckDB and Python read the same numbers, save these of Python's.
    return (
        None if kind is Kind.NUMBER and text.lower().strip("+-") in {"inf", "infinity"} else values.coerce(kind, text)
    )


def test_several_numbers_are_listed_as_those_of_files():
    rng = random.Random(5)  # noqa: S311 - seeded texts, no secrets
    parts = ["2.5", "2.50", "5", " 1e1", "-.5", "", "0.1", "1e22", "123456789012345680", "0.00001", "x", "1,5", "3 "]
    texts = ["\\".join(rng.choices(parts, k=rng.randint(1, 4))) for _ in range(400)]
    expected = [values.distinct(Kind.NUMBER, text) if "\\" in text else () for text in texts]
    entries = [doubts.several_entry("Rows", found) if len(found) > 1 else None for found in expected]
    assert _ask(texts, several_entry("Rows", "x")) == entries
    assert 100 < entries.count(None) < 300


@pytest.mark.parametrize("kind", SEEDS)
def test_texts_are_typed_as_those_of_files(kind):
    texts = _mutated(SEEDS[kind])
    found = _ask(texts, from_text(kind, "x"))
    expected = [_python(kind, text) for text in texts]
    assert {text: one for text, one in zip(texts, found, strict=True) if one is not None} == {
        text: one for text, one in zip(texts, expected, strict=True) if one is not None
    }
    assert sum(one is not None for one in found) > 20
    assert sum(one is None for one in found) > 20


def test_uids_are_judged_as_those_of_files():
    assert _ask(UIDS, uid("x")) == [values.uid(text) for text in UIDS]


def test_padding_and_nan_are_null():
    texts = ["a", " a b\t", "  ", "", "nan", " NaN\n", "-", "ü", " ü"]
    assert _ask(texts, cleaned("x")) == ["a", "a b", None, None, None, None, "-", "ü", "ü"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", True),
        ("0", True),
        ("-0.5", True),
        ("007", False),
        ("00", False),
        ("9007199254740992", True),
        ("12345678901234567890", False),
        ("1e20", True),
        ("1e999", False),
        ("12a", False),
        ("", False),
    ],
)
def test_number_is_one_that_a_float_preserves(text, expected):
    assert _ask([text], is_number("x")) == [expected]


def test_words_for_a_missing_value_are_null():
    words = [
        "NULL",
        "null",
        "N/A",
        "n/a",
        "NA",
        "None",
        " none ",
        "NaN",
        "NaT",
        "#N/A",
        "<NA>",
        "n.a.",
        r"\N",
        "(null)",
    ]
    assert _ask(words, cleaned("x")) == [None] * len(words)
    assert all(is_missing(word.strip()) for word in words)
    kept = ["normal", "nation", "no", "-", "0", "nonea", "null.", "unknown"]
    assert _ask(kept, cleaned("x")) == kept
    assert not any(map(is_missing, kept))


def test_a_column_of_days_has_days_of_the_calendar_in_our_time():
    texts = [*_mutated(SEEDS[Kind.DATE]), "20180101", "19000101", "18990101", "21010101", "2101-01-01", "12345678"]
    found = [bool(one) for one in _ask(texts, is_day("x"))]
    assert found == [is_day_in_python(text) for text in texts]
    assert found[-6:] == [True, True, False, False, True, False]


def test_names_and_texts_cannot_leave_their_quotes():
    with duckdb.connect(":memory:") as connection:
        name, text = 'a"; DROP TABLE t; --', "it's'; --"
        assert connection.execute(f"SELECT {literal(text)} AS {quoted(name)}").fetchall() == [(text,)]
        assert connection.execute(f"SELECT {literal(text)} AS {quoted(name)}").description[0][0] == name


@pytest.mark.parametrize("kind", [Kind.DATE, Kind.DATETIME])
def test_shortened_dates_are_those_of_files(kind):
    texts = [
        text for text in _mutated(["2018", "201806", "201802", "2018-0500", "201812+0100"]) if "-" not in text[4:5]
    ]
    found = _ask(texts, partial_entry("K", kind, "x"))
    days = [values.shortened(kind, text) for text in texts]
    assert found == [None if pair is None else "K={}/{}".format(*pair) for pair in days]
    assert sum(one is not None for one in found) > 10
    assert _ask(["2018-06", "0000"], partial_entry("K", kind, "x")) == ["K=2018-06-01/2018-06-30", None]


def test_a_placeholder_age_is_that_of_files():
    texts = ["000Y", "0Y", "000D", "000W", "001Y", "0000Y"]
    assert _ask(texts, is_placeholder_age("x")) == [values.is_placeholder_age(text) for text in texts]
