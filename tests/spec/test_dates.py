"""Years, months and windows around a day."""

from __future__ import annotations

import pytest
import semantics

CALENDAR = """
year(visit) == 2015
| visit      | part         |
| 2015-12-31 | forget       |
| 2016-01-01 | remain       |
| -          | undetermined |

month(taken) in [1, 12]
| taken               | part         |
| 2015-12-31T23:59:59 | forget       |
| 2016-02-01T00:00:00 | remain       |
| -                   | undetermined |
"""

WINDOWS = """
visit within 30 days of 2018-06-15
| visit      | part         |
| 2018-05-16 | forget       |
| 2018-07-15 | forget       |
| 2018-05-15 | remain       |
| 2018-07-16 | remain       |
| -          | undetermined |

visit within 2 weeks before 2018-06-15
| visit      | part   |
| 2018-06-01 | forget |
| 2018-06-15 | forget |
| 2018-06-16 | remain |
| 2018-05-31 | remain |

visit within 1 day after 2018-06-15
| visit      | part   |
| 2018-06-15 | forget |
| 2018-06-16 | forget |
| 2018-06-14 | remain |

visit not within 1 day of 2018-06-15
| visit      | part         |
| 2018-06-15 | remain       |
| 2018-06-17 | forget       |
| -          | undetermined |

visit within 30 days of @index_date
| visit      | part   |
| 2018-07-01 | forget |
| 2020-01-01 | forget |
| 2019-01-01 | remain |

taken within 3 days of visit
| taken               | visit      | part         |
| 2018-06-18T23:00:00 | 2018-06-15 | forget       |
| 2018-06-19T00:00:00 | 2018-06-15 | remain       |
| 2018-06-19T00:00:00 | -          | undetermined |
"""


@pytest.mark.parametrize("table", semantics.blocks(CALENDAR))
def test_years_and_months(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(WINDOWS))
def test_a_window_includes_both_its_ends(table, tmp_path):
    semantics.check(table, tmp_path / "index")
