"""`exists` and `missing`, which are never unknown."""

from __future__ import annotations

import pytest
import semantics

TABLES = """
exists(device)
| device | part   |
| x      | forget |
| -      | remain |
|        | remain |

missing(device)
| device | part   |
| x      | remain |
| -      | forget |
|        | forget |

not exists(age) and eye_label == N
| age | eye_label | part         |
| -   | N         | forget       |
| nan | N         | forget       |
| 3   | N         | remain       |
| 3   | -         | remain       |
| -   | -         | undetermined |

device == x
| device | part         |
|        | undetermined |
| x      | forget       |
"""


@pytest.mark.parametrize("table", semantics.blocks(TABLES))
def test_an_empty_text_is_a_missing_value(table, tmp_path):
    semantics.check(table, tmp_path / "index")
