from __future__ import annotations

import os

import pytest
from studio_client import Visitor

from monai_unlearn.errors import InputError
from monai_unlearn.studio.bundles import bundle_named, bundles


def test_bundles_are_what_was_given_and_what_revisions_wrote(tmp_path):
    given = tmp_path / "given"
    (given / "configs").mkdir(parents=True)
    studio = Visitor(work=tmp_path / "work", bundle=given).studio
    (studio.workspace.runs / "mine" / "run" / "rejected_bundle").mkdir(parents=True)
    (studio.workspace.runs / "log.txt").write_text("x")
    assert list(bundles(studio)) == ["given", "mine, rejected"]
    assert bundle_named(studio, "given") == given


def test_the_newest_revision_comes_first(tmp_path):
    studio = Visitor(work=tmp_path / "work").studio
    for age, name in ((3, "b-old"), (1, "c-new"), (2, "a-between")):
        (studio.workspace.runs / name / "run" / "revised_bundle").mkdir(parents=True)
        os.utime(studio.workspace.runs / name, (1_000 - age, 1_000 - age))
    assert list(bundles(studio)) == ["c-new, accepted", "a-between, accepted", "b-old, accepted"]


def test_the_output_of_a_run_holds_its_bundle(tmp_path):
    (tmp_path / "revision" / "revised_bundle").mkdir(parents=True)
    studio = Visitor(work=tmp_path / "work", bundle=tmp_path / "revision").studio
    assert list(bundles(studio)) == ["given, accepted"]


@pytest.mark.parametrize("name", ["", "..", "/etc", "given/../.."])
def test_a_bundle_is_named_and_never_a_path(tmp_path, name):
    studio = Visitor(work=tmp_path / "work", bundle=tmp_path).studio
    with pytest.raises(InputError, match="no such bundle"):
        bundle_named(studio, name)
