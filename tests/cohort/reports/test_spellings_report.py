from __future__ import annotations

import io

from rich.console import Console

from monai_unlearn.cohort.reports.spellings_report import show_spellings


def _shown(compared=(), variants=None):
    console = Console(file=io.StringIO(), width=300)
    show_spellings({"compared": compared, "variants": variants}, console)
    return console.file.getvalue().splitlines()


def test_comparisons_are_shown_where_it_matters_how():
    parts = [
        {"field": "device", "how": "folded", "values": ["a"], "matters": False},
        {"field": "device", "how": "folded", "values": ["a b"], "matters": True},
        {"field": "device", "how": "exact", "values": ["a b", "c-d"], "matters": True},
        {"field": "patient", "how": "letters", "values": None, "matters": True},
    ]
    assert _shown(parts) == [
        "Compared with runs of white space as one space, and every kind of dash as -: device with “a b”.",
        "Compared exactly, as quoted: device with “a b”, “c-d”.",
        "Compared by letters and digits alone, whatever the case: patient with values that are not shown.",
    ]


def test_spellings_say_whether_they_are_taken_as_equal():
    entry = {
        "field": "device",
        "value": "A1",
        "variants": {"[A]  1": 1_000, "a1": "hidden"},
        "caught": {"a1": "hidden"},
    }
    line = "“[A]␣␣1” (1,000 images, not taken as equal), “a1” (hidden images, taken as equal)"
    assert _shown(variants=[entry]) == [f"Other spellings of “A1” (device): {line}."]
    assert _shown() == []
