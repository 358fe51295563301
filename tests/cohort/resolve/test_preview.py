from __future__ import annotations

import json

from tiny import tiny_index, tiny_spec

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.reports.suppress_preview import suppress_preview


def cohort(folder):
    return CohortSpec.read(tiny_spec(folder)).resolve(tiny_index(folder))


def test_a_notebook_shows_parts_rules_and_classes(tmp_path):
    found = cohort(tmp_path)
    preview = found.preview()
    assert json.loads(json.dumps(preview)) == preview  # plain values, as commands print them
    shown = preview._repr_html_()
    assert "<td>forget</td><td>24</td><td>12</td>" in shown
    assert "<td>ManufacturerModelName == Old</td>" in shown
    assert "<td>up</td>" in shown
    assert found._repr_html_() == shown
    assert "patient-0" not in shown


def test_small_counts_stay_suppressed(tmp_path):
    shown = suppress_preview(cohort(tmp_path), below=100)._repr_html_()
    assert "&lt;100" in shown
    assert "<td>24</td>" not in shown
