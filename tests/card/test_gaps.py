from __future__ import annotations

from card_example import rich

from monai_unlearn.card.fields import FIELDS, gaps
from monai_unlearn.card.gaps import to_gaps

DIFF = rich()


def test_each_gap_has_a_heading_who_asks_and_a_line_to_write_on():
    text = to_gaps(DIFF)
    missing = gaps(DIFF)
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [field.name for field in missing]
    assert text.count("_" * 40) == len(missing)
    assert f"{len(FIELDS) - len(missing)} of {len(FIELDS)} fields" in text
    part = text[text.index("## Monitoring after release") :]
    assert part.splitlines()[2:5] == [
        "- FDA PCCP: modification protocol: update procedures",
        "- EU AI Act, Annex IV: 3, 9",
        "- ONC HTI-1, source attribute: 8",
    ]
