"""The functions of the predicate language, in one table: a new one is a file here and a line below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions.calendar import CALENDAR
from monai_unlearn.cohort.language.functions.function import Function, Statistic
from monai_unlearn.cohort.language.functions.numbers import NUMBERS
from monai_unlearn.cohort.language.functions.statistics import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Mapping

FUNCTIONS: Mapping[str, Function] = {function.name: function for function in (*NUMBERS, *CALENDAR, *STATISTICS)}

__all__ = ["FUNCTIONS", "Function", "Statistic"]
