"""What the statistics compute is in tests/spec/test_statistics.py and, against scipy, in test_reference.py."""

from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.functions.statistics import STATISTICS


@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda statistic: statistic.name)
def test_an_entry_has_what_a_query_and_a_reader_need(statistic):
    arguments = [f"argument {number}" for number in range(statistic.least)]
    words = statistic.words.format(*arguments, all=" and ".join(arguments))
    assert "argument 0" in words
    assert statistic.meaning[0].islower()
    assert not statistic.meaning.endswith(".")
    figures = {f"a{number}": "figure" for number in range(len(statistic.aggregates) or 1)}
    assert "figure" in statistic.value.format(x="own", **figures)
