"""Tags beyond those of every index: nested, private, in file meta, and with several values."""

from __future__ import annotations

import pytest
import semantics

TABLES = """
AnatomicRegionSequence.CodeMeaning == Retina
| AnatomicRegionSequence.CodeMeaning | part         |
| Retina                             | forget       |
| Retina\\Macula                      | forget       |
| Macula                             | remain       |
| -                                  | undetermined |

all(AnatomicRegionSequence.CodeMeaning) in [Retina, Macula]
| AnatomicRegionSequence.CodeMeaning | part   |
| Retina\\Macula                      | forget |
| Retina\\Iris                        | remain |

`(0019,"GEMS_ACQU_01",10)` contains fast
| (0019,"GEMS_ACQU_01",10) | part   |
| 3D fast                  | forget |
| slow                     | remain |

SourceApplicationEntityTitle in [ROOM1, ROOM2]
| SourceApplicationEntityTitle | part         |
| ROOM1                        | forget       |
| ROOM3                        | remain       |
| -                            | undetermined |

NumberOfFrames > 1
| NumberOfFrames | part         |
| 3              | forget       |
| 1              | remain       |
| -              | undetermined |
"""


@pytest.mark.parametrize("block", semantics.blocks(TABLES))
def test_a_nested_tag_is_the_keywords_that_lead_to_it_and_a_private_one_has_its_creator(block, tmp_path):
    semantics.check(block, tmp_path / "index")
