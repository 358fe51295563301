from __future__ import annotations

import copy

from card_example import CLOSE, FULL, build, rich

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections.limits import view

DIFF = rich()


def test_what_would_decide_stands_with_its_number():
    diff = {
        **DIFF,
        "needs": [{"what": "seeds", "text": "More seeds.", "has": 3, "needs": 12, "subset": None, "class": None}],
    }
    row = view(diff)["needs"].rows[0]
    assert [cell.text for cell in row] == ["More seeds.", "seeds", "3", "12"]
    assert row[3].key == "/needs/0/needs"
    assert view({**DIFF, "needs": []})["needs"] is None
    assert "Nothing that was declared is left undecided." in to_html({**DIFF, "needs": []})


def test_warnings_notes_and_what_was_not_measured():
    diff = copy.deepcopy(build(original=FULL, revised=CLOSE, reference=CLOSE, recorded=False))
    diff["warnings"] = ["mind the gap"]
    found = view(diff)
    assert found["warnings"][-1] == "mind the gap"
    assert found["warnings"][0].startswith("reference does not count")
    assert view(DIFF)["not_measured"] == ["relearning: There was no time."]


def test_the_basis_and_the_intended_use_are_said():
    page = to_html({**DIFF, "basis": "protocol"})
    assert "the verdict rests on a rehearsed protocol" in page
    assert "Intended use, as the bundle states it: Research" in page
    assert "1 subgroup has too few patients to be shown." in page
