from __future__ import annotations

import datetime as dt

import pytest

from monai_unlearn.index.tables.spellings import LONGEST_MISSING, MISSING_STARTS, day_of, is_day, is_missing

DAY = dt.date(2015, 3, 21)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        *((text, DAY) for text in ("20150321", "20150321.0", "2015-03-21", "2015-3-21", "2015.03.21", "2015/03/21")),
        *((text, DAY) for text in ("2015-03-21 00:00:00", "2015-03-21T10:11:12.123456Z", "2015/03/21 10:11")),
        *((text, None) for text in ("21.03.2015", "03/21/2015", "2015-13-01", "20150231", "201503", "2015", "x", "")),
        *((text, None) for text in ("2015-03/21", "2015-03-21x", "2015.3.1", "20150321.5", "00000101")),
    ],
)
def test_a_day_has_its_year_first(text, day):
    assert day_of(text) == day


def test_eight_digits_are_a_day_of_our_time_only():
    assert [is_day(text) for text in ("20150321", "17150321", "99990101", "1715-03-21", "12345678")] == [
        *(True, False, False, True, False)
    ]


def test_words_for_a_missing_value_are_known_in_any_case():
    words = (
        "",
        "NULL",
        "null",
        "Null",
        "N/A",
        "n/a",
        "NA",
        "None",
        "NaN",
        "-nan",
        "NaT",
        "<NA>",
        "#N/A N/A",
        "(null)",
        r"\N",
    )
    assert all(map(is_missing, words))
    assert max(map(len, words)) == LONGEST_MISSING
    assert not any(map(is_missing, ("0", "-", "no", "nonsense", "unknown", "null null", "missing", " ")))
    assert {word[0] for word in words if word} <= set(MISSING_STARTS)
