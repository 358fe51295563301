"""Kleene's logic of three values: true, false, unknown."""

from __future__ import annotations

import pytest
import semantics

TABLES = """
eye_label == N and age > 60
| eye_label | age | part         |
| N         | 61  | forget       |
| N         | 60  | remain       |
| D         | 61  | remain       |
| D         | 60  | remain       |
| N         | -   | undetermined |
| D         | -   | remain       |
| -         | 61  | undetermined |
| -         | 60  | remain       |
| -         | -   | undetermined |

eye_label == N or age > 60
| eye_label | age | part         |
| N         | 61  | forget       |
| N         | 60  | forget       |
| D         | 61  | forget       |
| D         | 60  | remain       |
| N         | -   | forget       |
| D         | -   | undetermined |
| -         | 61  | forget       |
| -         | 60  | undetermined |
| -         | -   | undetermined |

not eye_label == N
| eye_label | part         |
| N         | remain       |
| D         | forget       |
| -         | undetermined |

not not eye_label == N
| eye_label | part         |
| N         | forget       |
| D         | remain       |
| -         | undetermined |

not (eye_label == N and age > 60)
| eye_label | age | part         |
| N         | 61  | remain       |
| N         | -   | undetermined |
| D         | -   | forget       |

eye_label == N or eye_label == D and age > 60
| eye_label | age | part         |
| N         | 1   | forget       |
| D         | 61  | forget       |
| D         | 60  | remain       |
| D         | -   | undetermined |

(eye_label == N or eye_label == D) and age > 60
| eye_label | age | part   |
| N         | 1   | remain |
| D         | 61  | forget |

NOT eye_label == N AND age > 60
| eye_label | age | part   |
| D         | 61  | forget |
| N         | 61  | remain |
| D         | 1   | remain |
"""


@pytest.mark.parametrize("table", semantics.blocks(TABLES))
def test_a_result_is_unknown_unless_the_known_operands_decide_it(table, tmp_path):
    semantics.check(table, tmp_path / "index")
