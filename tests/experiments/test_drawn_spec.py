from __future__ import annotations

import pytest

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import DataError
from monai_unlearn.experiments.drawn_spec import open_folder, write_spec

MODEL = """\
schema_version: 1
name: withdrawn
reason: consent_withdrawal
population: diagnosis in @known
value_sets: {known: [up, down], gone: [P1]}
forget: patient in @gone
scope: patient
unknown: remain
why: the register has no dates
sample: {count: 3}
expect: {images: {min: 2}}
"""


def test_what_is_not_about_the_one_cohort_is_kept(tmp_path):
    model = CohortSpec.parse(MODEL)
    spec = write_spec(model, tmp_path, name="a-01", forget="patient in @drawn", lists={"drawn": ["P9", "P8", "P9"]})
    assert CohortSpec.read(tmp_path / "a-01.yaml") == spec
    assert (spec.name, spec.reason, spec.scope, spec.population) == (
        "a-01",
        model.reason,
        model.scope,
        model.population,
    )
    assert spec.value_sets == {"known": ("down", "up"), "drawn": ("P8", "P9")}
    assert (spec.sample, spec.expect, spec.why) == (None, None, None)
    assert (tmp_path / "a-01.drawn.txt").read_text(encoding="utf-8") == "P8\nP9\n"


def test_a_value_that_would_be_a_comment_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot stand in a list of values"):
        write_spec(
            CohortSpec.parse(MODEL), tmp_path, name="a", forget="patient in @drawn", lists={"drawn": ["# 1", "2"]}
        )


def test_the_folder_is_for_its_owner_and_says_what_it_holds(tmp_path):
    open_folder(tmp_path / "specs")
    assert (tmp_path / "specs").stat().st_mode & 0o777 == 0o700
    assert "keys of patients. Do not pass it on" in (tmp_path / "specs" / "README.md").read_text(encoding="utf-8")
