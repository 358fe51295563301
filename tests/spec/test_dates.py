"""Years, months, windows around a day, shortened dates, invalid and implausible values."""

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


SHORTENED = """
acquired < 2018-12-15
| AcquisitionDateTime | part         |
| 2018-11             | forget       |
| 2018-12             | undetermined |
| 2019-01             | remain       |
| 2018                | undetermined |
| 2017                | forget       |

acquired <= 2018-12-31
| AcquisitionDateTime | part   |
| 2018-12             | forget |
| 2018                | forget |
| 2019                | remain |

acquired > 2018-11-30
| AcquisitionDateTime | part         |
| 2018-12             | forget       |
| 2018-11             | remain       |
| 2018                | undetermined |

acquired >= 2018-12-01
| AcquisitionDateTime | part         |
| 2018-12             | forget       |
| 2018-11             | remain       |
| 2018                | undetermined |

acquired == 2018-12-31
| AcquisitionDateTime | part         |
| 2018-12             | undetermined |
| 2018-11             | remain       |

acquired != 2018-12-31
| AcquisitionDateTime | part         |
| 2018-12             | undetermined |
| 2018-11             | forget       |

acquired between 2018-12-01 and 2019-01-31
| AcquisitionDateTime | part         |
| 2018-12             | forget       |
| 2019-01             | forget       |
| 2018                | undetermined |
| 2019-02             | remain       |

not acquired between 2018-12-01 and 2019-01-31
| AcquisitionDateTime | part         |
| 2018-12             | remain       |
| 2018                | undetermined |
| 2019-02             | forget       |

acquired in [2018-02-01, 2019-05-05]
| AcquisitionDateTime | part         |
| 2018-02             | undetermined |
| 2018-03             | remain       |

acquired within 31 days of 2018-12-15
| AcquisitionDateTime | part         |
| 2018-12             | forget       |
| 2018-11             | undetermined |
| 2018-10             | remain       |

acquired within 30 days of @index_date
| AcquisitionDateTime | part         |
| 2018-06             | forget       |
| 2020-01             | forget       |
| 2018-07             | undetermined |
| 2019-01             | remain       |

StudyDate within 10 days of AcquisitionDateTime
| StudyDate  | AcquisitionDateTime | part         |
| 2019-01-05 | 2018-12             | undetermined |
| 2019-02-05 | 2018-12             | remain       |
| 2019-01-05 | -                   | undetermined |

StudyDate within 40 days after AcquisitionDateTime
| StudyDate  | AcquisitionDateTime | part         |
| 2019-01-05 | 2018-12             | forget       |
| 2019-01    | 2018-12             | undetermined |
| 2018-11-30 | 2018-12             | remain       |

year(acquired) == 2018
| AcquisitionDateTime | part   |
| 2018                | forget |
| 2018-12             | forget |
| 2019-01             | remain |

month(acquired) in [1, 12]
| AcquisitionDateTime | part         |
| 2018-12             | forget       |
| 2018-02             | remain       |
| 2018                | undetermined |

StudyDate == 2018-12-31
| StudyDate | part         |
| 2018-12   | undetermined |
| 2019      | remain       |
"""

FIRST_PRESENT = """
acquired < 2019-01-01
| AcquisitionDate | AcquisitionDateTime | StudyDate  | part         |
| -               | 2018-12             | 2019-01-05 | forget       |
| -               | 2018                | 2019-01-05 | forget       |
| -               | ***                 | 2018-01-05 | undetermined |
| ***             | 2018-12-12T10:00:00 | 2018-01-05 | undetermined |
| ***             | -                   | -          | undetermined |
| -               | -                   | ***        | undetermined |
| -               | -                   | 2018-01-05 | forget       |
| 2018-12         | ***                 | 2020-01-05 | forget       |
| 1900-01-01      | -                   | 2018-01-05 | undetermined |

exists(acquired)
| AcquisitionDate | AcquisitionDateTime | StudyDate | part   |
| ***             | -                   | -         | forget |
| -               | 2018-12             | -         | forget |
| 1900-01-01      | -                   | -         | forget |
| -               | -                   | -         | remain |

missing(StudyDate)
| StudyDate | part   |
| ***       | remain |
| 2018      | remain |
| -         | forget |
"""

IMPLAUSIBLE = """
acquired < 2019-01-01
| StudyDate  | part         |
| 1900-01-01 | undetermined |
| 0095-07-24 | undetermined |
| 1900-01    | undetermined |
| 1900-01-02 | forget       |
| 2199-01-01 | undetermined |
| 2999-12-31 | undetermined |
| 2999       | undetermined |

implausible: keep
acquired < 2019-01-01
| StudyDate  | part   |
| 1900-01-01 | forget |
| 0095-07-24 | forget |
| 1900-01    | forget |
| 2199-01-01 | remain |
| 2999-12-31 | remain |
| 2999       | remain |

visit < 2019-01-01
| visit      | part   |
| 1900-01-01 | forget |
| 2199-01-01 | remain |

PatientAge < 18
| PatientAge | part         |
| 000Y       | undetermined |
| 0          | forget       |
| 0.02       | forget       |
| 119        | remain       |
| 120        | undetermined |
| 999        | undetermined |

implausible: keep
PatientAge < 18
| PatientAge | part   |
| 000Y       | forget |
| 0          | forget |
| 999        | remain |

implausible: unknown
PatientAge >= 90
| PatientAge | part         |
| 000Y       | undetermined |
| 90         | forget       |
| 999        | undetermined |

exists(PatientAge)
| PatientAge | part   |
| 000Y       | forget |
| ***        | forget |
| -          | remain |
"""


@pytest.mark.parametrize("table", semantics.blocks(CALENDAR))
def test_years_and_months(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(WINDOWS))
def test_a_window_includes_both_its_ends(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(SHORTENED))
def test_a_shortened_date_counts_where_all_its_days_agree(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(FIRST_PRESENT))
def test_of_several_keywords_the_first_that_is_present_decides_even_where_it_is_invalid(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(IMPLAUSIBLE))
def test_an_implausible_date_or_age_of_dicom_is_unknown_unless_the_spec_keeps_it(table, tmp_path):
    semantics.check(table, tmp_path / "index")
