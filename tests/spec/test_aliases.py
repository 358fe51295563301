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
| laterality | ImageLaterality | part         |
| L          | OS              | forget       |
| B          | B               | remain       |
| -          | L               | undetermined |

laterality == OS
| laterality | part         |
| L          | forget       |
| R          | remain       |
| -          | undetermined |

laterality in [left, 'both eyes']
| laterality | part   |
| L          | forget |
| R          | remain |
| B          | forget |

laterality != right
| laterality | part   |
| L          | forget |
| R          | remain |

laterality like o.d.
| laterality | part   |
| L          | remain |
| R          | forget |

age > 60
| age | PatientAge | part         |
| 61  | 1          | forget       |
| 1   | 61         | remain       |
| -   | 61         | undetermined |

exists(laterality)
| laterality | ImageLaterality | part   |
| L          | OS              | forget |
| -          | upper           | remain |
"""

AGES = """
age < 18
| PatientAge | PatientBirthDate | AcquisitionDate | StudyDate  | part         |
| 17         | 1950-01-01       | 2018-06-05      | 2018-06-05 | forget       |
| -          | 2000-06-06       | 2018-06-05      | 2019-06-05 | forget       |
| -          | 2000-06-05       | 2018-06-05      | 2018-01-01 | remain       |
| -          | 2000-06-06       | -               | 2018-06-05 | forget       |
| -          | 2019-01-01       | 2018-06-05      | -          | undetermined |
| -          | 2000-06-05       | -               | -          | undetermined |
| -          | -                | 2018-06-05      | -          | undetermined |

age > 60
| PatientBirthDate | StudyDate  | part         |
| 1940-01-01       | 2018-06-05 | forget       |
| 1900-01-01       | 2018-06-05 | undetermined |
| 0095-07-24       | 2018-06-05 | undetermined |
| 2999-12-31       | 2018-06-05 | undetermined |

age between 17 and 17
| PatientBirthDate | StudyDate  | part   |
| 2000-12-31       | 2018-12-30 | forget |
| 2000-02-29       | 2018-02-28 | forget |
| 2000-02-29       | 2018-03-01 | remain |

age < 6 months
| PatientBirthDate | StudyDate  | part   |
| 2018-01-31       | 2018-07-30 | forget |
| 2018-01-31       | 2018-07-31 | remain |

age > 60
| PatientBirthDate | StudyDate  | part         |
| 1901-01-02       | 2018-06-05 | forget       |
| 1900-01-01       | 2018-06-05 | undetermined |
| 1901-01-02       | 2021-01-02 | undetermined |
| 0095-01-01       | 2018-06-05 | undetermined |

implausible: keep
age > 60
| PatientBirthDate | StudyDate  | part   |
| 1900-01-01       | 2018-06-05 | forget |
| 1901-01-02       | 2021-01-02 | forget |
| 1990-01-02       | 2021-01-02 | remain |
"""


@pytest.mark.parametrize("table", semantics.blocks(AGES))
def test_without_a_recorded_age_it_is_the_time_between_birth_and_acquisition(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(TABLES))
def test_of_several_keywords_the_first_that_an_image_has_counts(table, tmp_path):
    semantics.check(table, tmp_path / "index")
