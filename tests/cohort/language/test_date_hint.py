from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.date_hint import date_hint, one_date


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("01.02.2019", " Write the year first: 2019-02-01."),
        ("1.2.2019", " Write the year first: 2019-02-01."),
        ("20190201", " Write the year first: 2019-02-01."),
        ("2019/02/01", " Write the year first: 2019-02-01."),
        ("2019-2-1", " Write the year first: 2019-02-01."),
        ("31/01/2019", " Write the year first: 2019-01-31."),
        ("01/31/2019", " Write the year first: 2019-01-31."),
        ("01/02/2019", " Write the year first: 2019-01-02 or 2019-02-01, whichever you mean."),
        ("01-01-2019", " Write the year first: 2019-01-01."),
        ("2019", " Write a whole date such as 2019-01-01."),
        ("2019-03", " Write a whole date such as 2019-03-01."),
        ("31.02.2019", ""),
        ("99.99.2019", ""),
        ("2019-13", ""),
        ("0000", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_another_form_of_a_date_is_turned_into_ours(text, hint):
    assert date_hint(text) == hint


@pytest.mark.parametrize(
    ("text", "day"),
    [("15.01.2019", "2019-01-15"), ("2019-01-15", "2019-01-15"), ("01/02/2019", None), ("2019", None), ("", None)],
)
def test_a_text_that_stands_for_one_date_alone_gives_it(text, day):
    assert one_date(text) == day
