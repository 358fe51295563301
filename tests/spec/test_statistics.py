"""Cohort statistics: how far an image lies from the others of its cohort, or of its group in the cohort."""

from __future__ import annotations

import pytest
import semantics

TABLES = """
zscore(vpf) > 1.9
| vpf | part         |
| 1   | remain       |
| 1   | remain       |
| 1   | remain       |
| 1   | remain       |
| 6   | forget       |
| -   | undetermined |

abs(mad_z(vpf)) > 3.5
| vpf | part         |
| -9  | forget       |
| 1   | remain       |
| 2   | remain       |
| 3   | remain       |
| 9   | forget       |
| -   | undetermined |

iqr_distance(vpf) > 1.5
| vpf | part         |
| 1   | remain       |
| 2   | remain       |
| 3   | remain       |
| 4   | remain       |
| 20  | forget       |
| -   | undetermined |

percentile_rank(vpf) > 75
| vpf | part         |
| 1   | remain       |
| 2   | remain       |
| 3   | remain       |
| 4   | forget       |
| -   | undetermined |

percentile_rank(vpf) by (device) >= 100
| vpf | device | part         |
| 1   | a      | remain       |
| 2   | a      | forget       |
| 1   | b      | forget       |
| 9   | -      | undetermined |

zscore(vpf) by (device) > 0
| vpf | device | part         |
| 1   | a      | remain       |
| 2   | a      | forget       |
| 1   | b      | undetermined |

mad_z(mean(r_vpf, l_vpf)) > 3.5
| r_vpf | l_vpf | part         |
| 1     | 1     | remain       |
| 2     | 2     | remain       |
| 3     | 3     | remain       |
| 40    | 40    | forget       |
| 40    | -     | undetermined |

isolation_forest(vpf, age) > 0.6
| vpf | age | part         |
| 1   | 1   | remain       |
| 1.1 | 1   | remain       |
| 1   | 1.1 | remain       |
| 1.1 | 1.1 | remain       |
| 50  | 80  | forget       |
| -   | 80  | undetermined |
"""


@pytest.mark.parametrize("table", semantics.blocks(TABLES))
def test_a_statistic_is_unknown_where_the_value_or_the_group_is_missing_or_all_values_are_equal(table, tmp_path):
    semantics.check(table, tmp_path / "index")
