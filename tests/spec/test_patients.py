"""Patients and faults: every identifier of a patient, and every fault of a row."""

from __future__ import annotations

import pytest
import semantics

TABLES = r"""
patient == OLD-7
| patient_ids | part         |
| NEW-7\OLD-7 | forget       |
| OLD-7       | forget       |
| OLD-70      | remain       |
| -           | undetermined |

patient not in [OLD-7, X-9]
| patient_ids | part         |
| NEW-7\OLD-7 | remain       |
| A-1         | forget       |
| -           | undetermined |

fault == invalid_date
| faults                          | part   |
| missing_patient_id\invalid_date | forget |
| missing_patient_id              | remain |
| -                               | remain |

fault in [invalid_age, invalid_date] and exists(device)
| faults       | device | part   |
| invalid_date | x      | forget |
| invalid_date | -      | remain |
| -            | x      | remain |

missing(fault) and device == x
| faults       | device | part         |
| invalid_date | x      | remain       |
| -            | x      | forget       |
| -            | -      | undetermined |
"""


@pytest.mark.parametrize("table", semantics.blocks(TABLES))
def test_every_identifier_and_every_fault_counts(table, tmp_path):
    semantics.check(table, tmp_path / "index")
