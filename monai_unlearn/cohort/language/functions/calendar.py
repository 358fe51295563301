"""Functions of dates: `year`, `month`."""

from __future__ import annotations

from monai_unlearn.cohort.language.functions.function import Function
from monai_unlearn.vocabulary.fields import Kind

CALENDAR = (
    Function(
        name="year", words="the year of {0}", takes=Kind.DATE, sql=lambda items: f"CAST(YEAR({items[0]}) AS DOUBLE)"
    ),
    Function(
        name="month",
        words="the month of {0} (1 to 12)",
        takes=Kind.DATE,
        sql=lambda items: f"CAST(MONTH({items[0]}) AS DOUBLE)",
    ),
)
