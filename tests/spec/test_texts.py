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
"""


@pytest.mark.parametrize("table", semantics.blocks(PARTS))
def test_contains_and_matches_look_for_a_part_of_the_text(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(CASE))
def test_the_operator_with_a_tilde_ignores_upper_and_lower_case(table, tmp_path):
    semantics.check(table, tmp_path / "index")


@pytest.mark.parametrize("table", semantics.blocks(SEVERAL))
def test_one_of_several_values_is_enough_unless_all_are_required(table, tmp_path):
    semantics.check(table, tmp_path / "index")
