"""Comparisons of a field with a value, by the kind of the field."""

from __future__ import annotations

import pytest
import semantics

TEXT = """
device == Cirrus 800 FA
| device        | part         |
| Cirrus 800 FA | forget       |
| cirrus 800 fa | remain       |
| Cirrus 800    | remain       |
| -             | undetermined |

device != Cirrus 800 FA
| device        | part         |
| Cirrus 800 FA | remain       |
| Spectralis    | forget       |
| -             | undetermined |

device == Cirrus   800   FA
| device        | part   |
| Cirrus 800 FA | forget |

device == 'and so on'
| device    | part   |
| and so on | forget |
| and       | remain |

device == "it's"
| device | part   |
| it's   | forget |

device == 'it''s'
| device | part   |
| it's   | forget |

device == 007
| device | part   |
| 007    | forget |
| 7      | remain |

`odd name` == x
| odd name | part         |
| x        | forget       |
| -        | undetermined |
"""

FOLDED = """
device == AX  STIR
| device    | part   |
| AX STIR   | forget |
| AX  STIR  | forget |
| AX\u00a0STIR | forget |
| ax stir   | remain |
| AXSTIR    | remain |

device == 'AX  STIR'
| device   | part   |
| AX STIR  | remain |
| AX  STIR | forget |

device == Cirrus HD-OCT
| device        | part   |
| Cirrus HD-OCT | forget |
| Cirrus HD\u2011OCT | forget |
| Cirrus HD\u2013OCT | forget |
| Cirrus HD_OCT | remain |

device == 'Cirrus HD-OCT'
| device        | part   |
| Cirrus HD-OCT | forget |
| Cirrus HD\u2011OCT | remain |

device in [AX STIR, 'T2  TSE']
| device   | part   |
| AX  STIR | forget |
| T2  TSE  | forget |
| T2 TSE   | remain |
"""

NUMBERS = """
vpf == 0.5
| vpf | part         |
| 0.5 | forget       |
| 0.6 | remain       |
| -   | undetermined |

vpf != .5
| vpf | part         |
| 0.5 | remain       |
| 5   | forget       |
| nan | undetermined |

vpf < -1e1
| vpf   | part   |
| -10.1 | forget |
| -10   | remain |

vpf <= 3
| vpf | part   |
| 3   | forget |
| 3.1 | remain |

vpf > 3
| vpf | part         |
| 3   | remain       |
| 3.1 | forget       |
| nan | undetermined |

age >= 60
| age  | part         |
| 60   | forget       |
| 59.9 | remain       |
| 0    | remain       |
| -    | undetermined |

age < 1.5
| age | part   |
| 1.4 | forget |
| 1.5 | remain |
"""

DATES = """
visit == 2018-06-05
| visit      | part         |
| 2018-06-05 | forget       |
| 2018-06-06 | remain       |
| -          | undetermined |

visit < 2019-01-01
| visit      | part   |
| 2018-12-31 | forget |
| 2019-01-01 | remain |

taken == 2018-06-05
| taken               | part         |
| 2018-06-05T00:00:00 | forget       |
| 2018-06-05T23:59:59 | forget       |
| 2018-06-06T00:00:00 | remain       |
| -                   | undetermined |

taken <= 2018-06-05
| taken               | part   |
| 2018-06-05T23:59:59 | forget |
| 2018-06-06T00:00:00 | remain |

taken > 2018-06-05
| taken               | part   |
| 2018-06-05T23:59:59 | remain |
| 2018-06-06T00:00:00 | forget |
"""


@pytest.mark.parametrize("table", semantics.blocks(TEXT))
def test_text_is_compared_as_a_whole_and_upper_and_lower_case_differ(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(FOLDED))
def test_spaces_and_dashes_are_folded_unless_the_value_is_quoted(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(NUMBERS))
def test_numbers_and_ages_are_compared_by_size_and_nan_is_a_missing_value(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(DATES))
def test_datetimes_are_compared_as_dates(table, tmp_path):
    semantics.check(table, tmp_path / "index")


def test_a_table_that_is_wrong_fails(tmp_path):
    table = "age >= 60\n| age | part   |\n| 61  | remain |"
    with pytest.raises(AssertionError, match=r"age >= 60: found \['forget'\]"):
        semantics.check(table, tmp_path / "index")
