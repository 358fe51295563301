"""`in` and `not in`."""

from __future__ import annotations

import pytest
import semantics

TABLES = """
eye_label in [N, D]
| eye_label | part         |
| N         | forget       |
| D         | forget       |
| n         | remain       |
| G         | remain       |
| -         | undetermined |

eye_label not in [N, D]
| eye_label | part         |
| N         | remain       |
| G         | forget       |
| -         | undetermined |

not eye_label in [N]
| eye_label | part         |
| N         | remain       |
| G         | forget       |
| -         | undetermined |

device in [Cirrus 800 FA, 'a, b', "x]"]
| device        | part   |
| Cirrus 800 FA | forget |
| a, b          | forget |
| x]            | forget |
| a             | remain |

age in [1, 2.5]
| age | part         |
| 1   | forget       |
| 2.5 | forget       |
| 2   | remain       |
| -   | undetermined |

visit in [2018-01-01, 2019-01-01]
| visit      | part   |
| 2019-01-01 | forget |
| 2018-06-01 | remain |
"""


@pytest.mark.parametrize("table", semantics.blocks(TABLES))
def test_a_field_is_in_a_list_if_it_equals_one_of_its_values(table, tmp_path):
    semantics.check(table, tmp_path / "index")
