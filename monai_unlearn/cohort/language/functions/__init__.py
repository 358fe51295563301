"""The functions of the predicate language.

To add one, add an entry to NUMBERS, CALENDAR or STATISTICS; the loop below registers it.
"""

from __future__ import annotations

from monai_unlearn.cohort.language.functions.calendar import CALENDAR
from monai_unlearn.cohort.language.functions.function import Function
from monai_unlearn.cohort.language.functions.numbers import NUMBERS
from monai_unlearn.cohort.language.functions.registry import FUNCTIONS, register
from monai_unlearn.cohort.language.functions.statistic import Statistic
from monai_unlearn.cohort.language.functions.statistics import STATISTICS
from monai_unlearn.cohort.language.functions.versions import VERSIONS

for _function in (*NUMBERS, *CALENDAR, *VERSIONS, *STATISTICS):
    register(_function)

__all__ = ["FUNCTIONS", "Function", "Statistic", "register"]
