from __future__ import annotations

import io

import pytest
from cohort_index import make_index, make_spec
from rich.console import Console

from monai_unlearn.cohort.reports.report import show
from monai_unlearn.vocabulary.fields import Kind


@pytest.mark.parametrize("label", ["diagnosis", None])
def test_every_count_is_printed_and_markup_is_shown_as_text(tmp_path, label):
    columns = {"device": ["[b]", "new", None] * 1000, "diagnosis": ["[red]", "x", "x"] * 1000}
    kinds = {"device": Kind.TEXT, "diagnosis": Kind.TEXT}
    cohort = make_spec("device in ['[b]', '[/b]']").resolve(make_index(tmp_path / "i", columns, kinds, label=label))
    stream = io.StringIO()
    show(cohort.preview(), Console(file=stream, width=100))
    text = stream.getvalue()
    assert "Cohort test (other)" in text
    assert "device in ['[b]', '[/b]']" in text
    assert "1,000" in text
    assert ("[red]" in text) == (label is not None)
    assert "Note: 1000 images are undetermined" in text
