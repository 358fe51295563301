"""Functions of numbers: `mean`, `min`, `max`, `abs`.

The result is missing as soon as one argument is missing: half a measurement is not the measurement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions.function import Function

if TYPE_CHECKING:
    from collections.abc import Sequence


def _all_known(expression: str, arguments: Sequence[str]) -> str:
    # DuckDB's LEAST and GREATEST ignore NULL.
    known = " AND ".join(f"{argument} IS NOT NULL" for argument in arguments)
    return f"CASE WHEN {known} THEN {expression} END"


NUMBERS = (
    Function(
        name="mean",
        words="the mean of {all}",
        least=2,
        most=None,
        keeps_unit=True,
        sql=lambda items: f"(({' + '.join(items)}) / {len(items)})",
    ),
    Function(
        name="min",
        words="the smallest of {all}",
        least=2,
        most=None,
        keeps_unit=True,
        sql=lambda items: _all_known(f"LEAST({', '.join(items)})", items),
    ),
    Function(
        name="max",
        words="the largest of {all}",
        least=2,
        most=None,
        keeps_unit=True,
        sql=lambda items: _all_known(f"GREATEST({', '.join(items)})", items),
    ),
    Function(name="abs", words="the absolute value of {0}", keeps_unit=True, sql=lambda items: f"ABS({items[0]})"),
)
