"""Arithmetic, functions and units."""

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
