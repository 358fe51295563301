"""Aliases: plain words for DICOM keywords."""

from __future__ import annotations

import pytest
import semantics

TABLES = """
acquired < 2019-01-01
| AcquisitionDate | AcquisitionDateTime | StudyDate  | part         |
| 2018-05-05      | -                   | -          | forget       |
| -               | 2018-05-05T10:00:00 | -          | forget       |
| -               | -                   | 2018-05-05 | forget       |
| 2020-05-05      | 2018-05-05T10:00:00 | 2018-05-05 | remain       |
| -               | 2020-05-05T10:00:00 | 2018-05-05 | remain       |
| -               | -                   | -          | undetermined |

acquired < 2019-01-01
| StudyDate  | part         |
| 2018-05-05 | forget       |
| -          | undetermined |

laterality == L
| ImageLaterality | Laterality | part         |
| L               | R          | forget       |
| R               | L          | remain       |
| -               | L          | forget       |
| -               | -          | undetermined |

age > 60
| age | PatientAge | part         |
| 61  | 1          | forget       |
| 1   | 61         | remain       |
| -   | 61         | undetermined |

exists(laterality)
| ImageLaterality | Laterality | part   |
| -               | L          | forget |
| -               | -          | remain |
"""


@pytest.mark.parametrize("table", semantics.blocks(TABLES))
def test_of_several_keywords_the_first_that_an_image_has_counts(table, tmp_path):
    semantics.check(table, tmp_path / "index")
