"""Arithmetic, functions, units and several numbers."""

from __future__ import annotations

import pytest
import semantics

ARITHMETIC = """
mean(r_vpf, l_vpf) * 11.7 > 11
| r_vpf | l_vpf | part         |
| 1.0   | 0.9   | forget       |
| 0.9   | 0.9   | remain       |
| 1.0   | -     | undetermined |

r_vpf - l_vpf > 0
| r_vpf | l_vpf | part         |
| 1.0   | 0.9   | forget       |
| 0.9   | 0.9   | remain       |
| -     | 0.9   | undetermined |

(vpf + 1) * 2 == 8
| vpf | part   |
| 3   | forget |
| 7   | remain |

-vpf < 0
| vpf | part   |
| 3   | forget |
| -3  | remain |

r_vpf / l_vpf >= 2
| r_vpf | l_vpf | part         |
| 4     | 2     | forget       |
| 3     | 2     | remain       |
| 3     | 0     | undetermined |
| 0     | 0     | undetermined |

abs(vpf) > 3
| vpf | part         |
| -4  | forget       |
| 3   | remain       |
| -   | undetermined |

min(r_vpf, l_vpf) < 1
| r_vpf | l_vpf | part         |
| 0.5   | 2     | forget       |
| 1     | 2     | remain       |
| 0.5   | -     | undetermined |

max(r_vpf, l_vpf, vpf) > 1
| r_vpf | l_vpf | vpf | part         |
| 0.5   | 2     | 0   | forget       |
| 1     | 1     | 1   | remain       |
| -     | 2     | 3   | undetermined |
"""

SEVERAL = """
SliceThickness < 3
| SliceThickness | part         |
| 2.5\\5          | forget       |
| 3\\5            | remain       |
| 2.5            | forget       |
| -              | undetermined |

any(SliceThickness) >= 5
| SliceThickness | part         |
| 2.5\\5          | forget       |
| 2.5\\3          | remain       |
| 5              | forget       |
| -              | undetermined |

all(SliceThickness) < 0.3 cm
| SliceThickness | part         |
| 1\\2.5          | forget       |
| 1\\5            | remain       |
| 2.5            | forget       |
| -              | undetermined |

SliceThickness == 5
| SliceThickness | part   |
| 2.5\\5          | forget |
| 2.5\\3          | remain |

SliceThickness != 5
| SliceThickness | part   |
| 2.5\\5          | remain |
| 2.5\\3          | forget |

any(SliceThickness) != 5
| SliceThickness | part   |
| 2.5\\5          | forget |
| 5              | remain |

all(SliceThickness) != 5
| SliceThickness | part   |
| 2.5\\5          | remain |
| 2.5\\3          | forget |

SliceThickness between 3 and 4
| SliceThickness | part   |
| 2\\5            | remain |
| 2\\3.5          | forget |

all(SliceThickness) in [2, 5]
| SliceThickness | part   |
| 2\\5            | forget |
| 2\\3            | remain |

SliceThickness in @measures
| SliceThickness | part   |
| 2\\5            | forget |
| 3\\5            | remain |

exists(SliceThickness)
| SliceThickness | part   |
| 2.5\\5          | forget |
| 3              | forget |
| -              | remain |

any(FrameReferenceDateTime) within 3 days of visit
| FrameReferenceDateTime                   | visit      | part         |
| 2018-06-01T10:00:00\\2018-07-01T10:00:00 | 2018-06-04 | forget       |
| 2018-06-01T10:00:00\\2018-07-01T10:00:00 | 2018-06-05 | remain       |
| 2018-06-01T10:00:00\\2018-07-01T10:00:00 | -          | undetermined |
| 2018-06-01T10:00:00                      | 2018-06-04 | forget       |

all(FrameReferenceDateTime) < 2018-06-15
| FrameReferenceDateTime                   | part   |
| 2018-06-01T10:00:00\\2018-07-01T10:00:00 | remain |
| 2018-06-01T10:00:00\\2018-06-02T10:00:00 | forget |
"""

# Which of the values is meant would be a guess.
OF_ONE = """
SliceThickness * 2 > 1
| SliceThickness | part         |
| 2.5\\5          | undetermined |
| 2.5            | forget       |

abs(SliceThickness) > 1
| SliceThickness | part         |
| 2.5\\5          | undetermined |
| 2.5            | forget       |

percentile_rank(SliceThickness) > 60
| SliceThickness | part         |
| 2.5\\5          | undetermined |
| 1              | remain       |
| 2              | forget       |

percentile_rank(vpf) by (SliceThickness) > 60
| vpf | SliceThickness | part         |
| 9   | 2.5\\5          | undetermined |
| 1   | 2              | remain       |
| 2   | 2              | forget       |
"""

RANGES = """
vpf between 2 and 3
| vpf | part         |
| 2   | forget       |
| 3   | forget       |
| 3.1 | remain       |
| -   | undetermined |

vpf not between 2 and 3
| vpf | part         |
| 2   | remain       |
| 3.1 | forget       |
| -   | undetermined |

visit between 2015-01-01 and 2016-12-31
| visit      | part         |
| 2015-01-01 | forget       |
| 2016-12-31 | forget       |
| 2017-01-01 | remain       |
| -          | undetermined |
"""

UNITS = """
length_mm > 11 mm
| length_mm | part         |
| 11.1      | forget       |
| 11        | remain       |
| -         | undetermined |

length_mm > 1.1 cm
| length_mm | part   |
| 11.1      | forget |
| 11        | remain |

length_mm > 11
| length_mm | part   |
| 11.1      | forget |
| 11        | remain |

mean(length_cm, length_mm) > 1 cm
| length_cm | length_mm | part   |
| 1         | 11        | forget |
| 1         | 10        | remain |

length_cm - length_mm > 0
| length_cm | length_mm | part   |
| 1         | 9         | forget |
| 1         | 10        | remain |
| 1         | 11        | remain |

length_cm * length_mm > 100 mm2
| length_cm | length_mm | part   |
| 1         | 11        | forget |
| 1         | 9         | remain |

length_cm + 5 mm > 1.2 cm
| length_cm | part   |
| 0.8       | forget |
| 0.6       | remain |

age > 18 months
| age | part   |
| 1.6 | forget |
| 1.5 | remain |
"""


@pytest.mark.parametrize("table", semantics.blocks(ARITHMETIC))
def test_a_number_computed_from_fields_is_unknown_as_soon_as_one_is_missing(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(RANGES))
def test_between_includes_both_ends(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(UNITS))
def test_a_number_with_a_unit_is_converted_and_one_without_is_in_the_unit_of_the_field(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("block", semantics.blocks(SEVERAL))
def test_of_several_numbers_or_dates_such_as_one_per_frame_one_is_enough(block, tmp_path):
    semantics.check(block, tmp_path / "index")


@pytest.mark.parametrize("block", semantics.blocks(OF_ONE))
def test_arithmetic_functions_and_statistics_need_one_number(block, tmp_path):
    semantics.check(block, tmp_path / "index")
