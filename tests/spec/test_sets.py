"""`@name`: values that the spec lists once, or reads from a file in its folder."""

from __future__ import annotations

import pytest
import semantics

TABLES = """
device in @retired
| device     | part         |
| Cirrus     | forget       |
| Maestro 2  | forget       |
| Spectralis | remain       |
| -          | undetermined |

device not in @retired
| device     | part         |
| Cirrus     | remain       |
| Spectralis | forget       |
| -          | undetermined |

vpf in @measures
| vpf | part         |
| 1.5 | forget       |
| 2   | forget       |
| 3   | remain       |
| -   | undetermined |

vpf > @limit
| vpf | part   |
| 4   | forget |
| 3   | remain |
"""


@pytest.mark.parametrize("table", semantics.blocks(TABLES))
def test_a_value_set_is_replaced_by_its_values(table, tmp_path):
    semantics.check(table, tmp_path / "index")
