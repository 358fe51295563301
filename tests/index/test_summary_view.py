from __future__ import annotations

import io

import pytest
from rich.console import Console

from monai_unlearn.index.summary_view import show


@pytest.fixture
def shown():
    """Show a summary with some entries replaced, and return the text."""

    def run(**changes):
        document = {
            "index": "/i",
            "digest": "sha256:0123456789abcdef",
            "rows": 11,
            "images": 7,
            "patients": 3,
            "studies": 6,
            "series": 5,
            "formats": {"dicom": 6, "image": 1},
            "faults": {},
            "fill": {"Modality": 0.857},
            "devices": [],
            "ignored": 0,
            **changes,
        }
        stream = io.StringIO()
        show(document, Console(file=stream, width=100))
        return stream.getvalue()

    return run


def test_counts_are_shown(shown):
    text = shown(ignored=2)
    assert "11, 7 of them images (6 dicom, 1 image)" in text
    assert "3 patients, 6 studies, 5 series" in text
    assert "2 other files" in text
    assert "85.7 %" in text
    assert "other files" not in shown()


@pytest.mark.parametrize(("usable", "mark"), [(True, "counts"), (False, "left out")])
def test_faults_have_their_sentence_and_examples(usable, mark, shown):
    fault = {"count": 4, "usable": usable, "sentence": "is cut short", "examples": ["/d/c[bold]0.dcm"]}
    text = shown(faults={"truncated": fault})
    assert f"4 truncated ({mark}): is cut short" in text
    assert "/d/c[bold]0.dcm" in text


def test_at_most_twenty_devices_are_shown(shown):
    devices = [{"manufacturer": "M", "model": f"D{number}", "images": 1} for number in range(30)]
    text = shown(devices=devices)
    assert "D19" in text
    assert "D20" not in text
    assert "… and 10 more; --json lists them all" in text
    assert "more" not in shown(devices=devices[:20])


def test_missing_device_is_a_dash(shown):
    assert "–" in shown(devices=[{"manufacturer": None, "model": "[x]", "images": 1}])
