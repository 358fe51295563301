from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.measures.measure_match import Tally, match_of
from monai_unlearn.index.measures.reading import MeasureFault

FRAME = pd.DataFrame(
    {"path": [f"/d/{number}" for number in range(8)], "fault": [None] * 6 + ["truncated", "invalid_date"]},
    dtype="string",
)


def test_counts_are_reported_with_their_first_examples():
    tally = Tally(matched=2, unmatched=[f"u{number}" for number in range(7)], rows={0, 3}, columns={"b", "a"})
    tally.kinds.update({"SR": 3, "NIfTI": 6})
    tally.faults = {MeasureFault.TOO_LARGE: ["x", "y"], Fault.EMPTY_FILE: ["z"]}
    tally.conflicts = {("a", 3), ("a", 0), ("b", 3)}
    match = match_of(Path("/m"), tally, FRAME)
    assert (match.path, match.files, match.columns) == ("/m", {"NIfTI": 6, "SR": 3}, ("a", "b"))
    assert (match.matched_files, match.unmatched_files, match.unmatched_paths) == (2, 7, ("u0", "u1", "u2", "u3", "u4"))
    assert (match.images_with_measures, match.images_without_measures) == (2, 5)  # seven images are usable
    assert list(match.faults) == ["empty_file", "too_large"]
    assert match.faults["too_large"] == {"count": 2, "example": "x", "sentence": MeasureFault.TOO_LARGE.sentence}
    assert (match.conflicts, match.conflicting_columns, match.conflicting_images) == (3, ("a", "b"), ("/d/0", "/d/3"))
    assert match.document()["conflicts"] == 3


def test_path_without_a_match_is_refused_unless_another_contains_its_files():
    tally = Tally(unmatched=["q"], faults={MeasureFault.NOT_MEASURES: ["a", "b"]})
    with pytest.raises(IndexReadError, match="/m: no file is about an image .*: 1 match none, 2 not_measures. A NIfTI"):
        match_of(Path("/m"), tally, FRAME)
    tally.is_repeated = True
    assert match_of(Path("/m"), tally, FRAME).matched_files == 0
