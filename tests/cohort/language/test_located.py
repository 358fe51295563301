from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.located import Located

TEXT = "name: x\nsample:\n  by: [P17, P18]\n"


def test_walk_yields_every_path():
    paths = {path for path, _ in Located.read(TEXT, "d").walk()}
    assert paths == {(), ("name",), ("sample",), ("sample", "by"), ("sample", "by", 0), ("sample", "by", 1)}


def test_a_fault_shows_no_text_after_the_part_it_points_at():
    spec = Located.read(TEXT, "d")
    assert spec.fault_in_key(("sample", "by"), "m").render("d") == "d:3:3: m\n    3 |   by\n      |   ^^"
    assert spec.fault_in_value(("sample", "by", 0), "m").snippet.startswith("    3 |   by: [P17\n")


def test_a_fault_in_a_list_or_in_a_missing_key_has_a_line():
    spec = Located.read(TEXT, "d")
    assert spec.fault_in_value(("sample", "by"), "m").render("d") == "d:3: m"
    assert spec.fault_in_value(("sample", "seed"), "m").render("d") == "d:2: m"


@pytest.mark.parametrize("spelled", ["1.10", "007", "1e3", "2018-01-31", "yes"])
def test_a_scalar_is_read_as_its_author_spelled_it(spelled):
    assert Located.read(f"by: [{spelled}]\n", "d").text_of(("by", 0)) == spelled
    assert Located.read(f"by: ['{spelled}']\n", "d").text_of(("by", 0)) == spelled
