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

DOUBTS = """
exists(age)
| PatientAge | PatientBirthDate | StudyDate  | part   |
| ***        | -                | -          | forget |
| 000Y       | -                | -          | forget |
| -          | 2010-01-01       | 2018-01-01 | forget |
| -          | 2010-01-01       | -          | remain |

missing(age) and device == x
| PatientAge | PatientBirthDate | StudyDate  | device | part         |
| ***        | -                | -          | x      | remain       |
| 000Y       | -                | -          | x      | remain       |
| -          | 2010-01-01       | 2018-01-01 | x      | remain       |
| -          | 2010-01-01       | -          | x      | forget       |
| -          | -                | -          | x      | forget       |
| -          | -                | -          | -      | undetermined |

age < 18
| PatientAge | PatientBirthDate | StudyDate  | part         |
| ***        | 2010-01-01       | 2018-01-01 | undetermined |
| 000Y       | 2010-01-01       | 2018-01-01 | undetermined |
| -          | 2010             | 2018-01-01 | undetermined |
| -          | 2010-01-01       | ***        | undetermined |

exists(acquired)
| AcquisitionDateTime | StudyDate  | part   |
| 2018-12             | 2019-01-05 | forget |
| ***                 | -          | forget |
| -                   | 1900-01-01 | forget |
| -                   | -          | remain |
"""


@pytest.mark.parametrize("table", semantics.blocks(TABLES))
def test_an_empty_text_is_a_missing_value(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(DOUBTS))
def test_a_value_in_doubt_exists_and_is_unknown_to_comparisons(table, tmp_path):
    semantics.check(table, tmp_path / "index")
