from __future__ import annotations

import pytest
from card_example import build

from monai_unlearn.card.audits import audits_not_measured, figure, span
from monai_unlearn.card.html import to_html
from monai_unlearn.evaluation.audits.figure import Figure, Finding, Row, not_measurable

ROW = Row(
    measure="auc_loss",
    subset="forget_train",
    original=Figure(value=0.81, interval=(0.75, 0.86)),
    revised=Figure(value=0.52, interval=(0.45, 0.6)),
    retrained=(Figure(value=0.48), Figure(value=0.55)),
    unit="ratio",
    headline=True,
)
UNKNOWN = Row(measure="ain_probability", subset=None, unit="ratio", headline=True, why="There is | nothing.")
AUDITS = {
    "membership": Finding(rows=(ROW, Row(measure="tpr", subset="forget_train", revised=Figure(value=0.1)))).to_dict(),
    "relearning": Finding(rows=(UNKNOWN,)).to_dict(),
    "probe": not_measurable("There are no images.").to_dict(),
}
MODELS = {"original": {"forget": 90, "remain": 90}, "revised": {"forget": 50, "remain": 88}}


@pytest.mark.parametrize(
    ("unit", "value", "interval", "text"),
    [
        ("share", 0.521, [0.47, 0.573], "52.1 % (47.0–57.3)"),
        ("steps", 12.0, None, "12"),
        ("nats", 0.02, [0.01, 0.031], "0.02 (0.01–0.03)"),
        ("ratio", None, None, "–"),
    ],
)
def test_figures_are_shown_in_their_unit(unit, value, interval, text):
    assert figure({"value": value, "interval": interval}, unit) == text


def test_one_retrained_network_is_no_range():
    row = Row(measure="some", subset=None, retrained=(Figure(value=0.5), Figure()), unit="ratio").to_dict()
    assert span(row) == "0.50"
    assert span(Row(measure="some", subset=None).to_dict()) == "–"


def test_what_was_not_measured_says_why():
    assert audits_not_measured(AUDITS) == [
        "probe: There are no images.",
        "relearning, ain probability: There is | nothing.",
    ]


def test_the_page_shows_headlines_and_what_was_not_measured():
    page = to_html(build(**MODELS, changes={"audits": AUDITS}))
    assert "<td>auc loss</td>" in page
    assert '>0.52 <span class="whole">(0.45–0.60)</span></td>' in page
    assert "<td>tpr</td>" not in page
    assert "<li>probe: There are no images.</li>" in page
    assert "how well an attack tells forget training images from images of the same class" in page


def test_what_measured_audits_show_is_on_the_card():
    assert list(build(**MODELS, changes={"audits": AUDITS})["audit_info"]) == ["membership", "relearning"]
