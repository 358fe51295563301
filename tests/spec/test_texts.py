"""Parts of a text, upper and lower case, and multi-valued tags."""

from __future__ import annotations

import pytest
import semantics

PARTS = """
device contains 800
| device         | part         |
| Cirrus 800 FA  | forget       |
| Cirrus 6000    | remain       |
| -              | undetermined |

device contains cirrus
| device         | part   |
| Cirrus 800 FA  | remain |
| a cirrus cloud | forget |

device not contains 800
| device         | part         |
| Cirrus 800 FA  | remain       |
| Spectralis     | forget       |
| -              | undetermined |

device matches /^Cirrus [0-9]+/
| device         | part         |
| Cirrus 800 FA  | forget       |
| A Cirrus 800   | remain       |
| cirrus 800     | remain       |
| -              | undetermined |

device matches /^cirrus|SPECTRALIS$/i
| device         | part   |
| Cirrus 800 FA  | forget |
| Spectralis     | forget |
| Maestro        | remain |

device matches /a\\/b/
| device | part   |
| a/b    | forget |
| ab     | remain |
"""

CASE = """
device ~= cirrus 800 fa
| device        | part         |
| Cirrus 800 FA | forget       |
| CIRRUS 800 FA | forget       |
| Cirrus 800    | remain       |
| -             | undetermined |

not device ~= ÉCLAIR
| device | part   |
| éclair | remain |
| eclair | forget |
"""

LIKE = """
device like Biograph64
| device      | part         |
| Biograph 64 | forget       |
| BIOGRAPH_64 | forget       |
| Biograph-64 | forget       |
| Biograph 6  | remain       |
| Biograph 64 mCT | remain   |
| -           | undetermined |

device not like cirrus hd-oct
| device          | part   |
| Cirrus HD\u2011OCT | remain |
| CirrusHDOCT     | remain |
| Cirrus          | forget |

ImageType like primary
| ImageType        | part   |
| ORIGINAL\\PRIMARY | forget |
| ORIGINAL         | remain |
"""

ORDER = """
AccessionNumber between 0004000 and 0005000
| AccessionNumber | part         |
| 0004711         | forget       |
| 4711            | forget       |
| 0005000         | forget       |
| 0005001         | remain       |
| 00040001        | remain       |
| MR-0004711      | undetermined |
| -               | undetermined |

AccessionNumber < MR-0010
| AccessionNumber | part         |
| MR-9            | forget       |
| MR-11           | remain       |
| CT-9            | undetermined |

version(SoftwareVersions) < 6.1
| SoftwareVersions | part         |
| 6.0.4\\BOOT 2    | forget       |
| 6.0.4            | forget       |
| V5 SP2           | forget       |
| 6.1              | remain       |
| 6.10             | remain       |
| 7.0\\6.0         | forget       |
| BOOT 2           | undetermined |
| -                | undetermined |

version(SoftwareVersions) == 6.1
| SoftwareVersions | part   |
| 6.1.0            | forget |
| 6.1 SP2          | forget |
| 6.1.1            | remain |
"""

SEVERAL = """
ImageType == PRIMARY
| ImageType        | part         |
| ORIGINAL\\PRIMARY | forget       |
| PRIMARY          | forget       |
| ORIGINAL\\OTHER   | remain       |
| primary          | remain       |
| -                | undetermined |

ImageType != PRIMARY
| ImageType        | part         |
| ORIGINAL\\PRIMARY | remain       |
| ORIGINAL\\OTHER   | forget       |
| -                | undetermined |

ImageType in [PRIMARY, OTHER]
| ImageType        | part   |
| ORIGINAL\\PRIMARY | forget |
| ORIGINAL         | remain |

any(ImageType) != PRIMARY
| ImageType        | part   |
| ORIGINAL\\PRIMARY | forget |
| PRIMARY\\PRIMARY  | remain |

all(ImageType) == PRIMARY
| ImageType        | part         |
| ORIGINAL\\PRIMARY | remain       |
| PRIMARY          | forget       |
| PRIMARY\\\\PRIMARY | forget       |
| -                | undetermined |

all(ImageType) in [PRIMARY, OTHER]
| ImageType        | part   |
| OTHER\\PRIMARY    | forget |
| ORIGINAL\\PRIMARY | remain |

ImageType contains ORIG
| ImageType        | part   |
| ORIGINAL\\PRIMARY | forget |
| PRIMARY          | remain |

ImageType matches /^PRIM/
| ImageType        | part   |
| ORIGINAL\\PRIMARY | forget |
| XPRIM            | remain |

ImageType == ORIGINAL\\PRIMARY
| ImageType            | part   |
| ORIGINAL\\PRIMARY     | forget |
| ORIGINAL\\PRIMARY\\MPR | remain |

ImageType ~= original\\primary
| ImageType            | part   |
| ORIGINAL\\PRIMARY     | forget |
| ORIGINAL\\PRIMARY\\MPR | remain |

ImageType in [OTHER, ORIGINAL\\PRIMARY]
| ImageType            | part         |
| OTHER\\MPR            | forget       |
| ORIGINAL\\PRIMARY     | forget       |
| ORIGINAL\\PRIMARY\\MPR | remain       |
| PRIMARY              | remain       |
| -                    | undetermined |

ImageType contains NAL\\PRIM
| ImageType        | part   |
| ORIGINAL\\PRIMARY | forget |
| ORIGINAL\\MPR     | remain |
"""


@pytest.mark.parametrize("table", semantics.blocks(PARTS))
def test_contains_and_matches_look_for_a_part_of_the_text(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(CASE))
def test_the_operator_with_a_tilde_ignores_upper_and_lower_case(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(LIKE))
def test_like_compares_letters_and_digits_alone(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(ORDER))
def test_numbers_within_texts_are_ordered_by_size_among_texts_of_one_pattern(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(SEVERAL))
def test_one_of_several_values_is_enough_unless_all_are_required(table, tmp_path):
    semantics.check(table, tmp_path / "index")
