from __future__ import annotations

import copy

import pytest
from card_example import CLOSE, FULL, build, rich

from monai_unlearn.card.html import to_html
from monai_unlearn.card.html.sections.real import view

DIFF = rich()
FORGOT = {"forget": 5, "remain": 90}


def test_each_audit_has_its_plot():
    found = view(DIFF)
    for name in ("statistics", "membership", "probe"):
        assert 'role="img"' in found[name]
    assert "original 0.60 (0.50–0.70), revised 0.60 (0.50–0.70), retrained 0.55–0.62" in found["membership"]
    assert found["membership"].count("<polyline") == 5
    assert [kind for kind, _ in found["embeddings"]["panels"]] == ["original", "revised", "retrained"]
    assert found["embeddings"]["legend"] == [("class-0", "a"), ("class-1", "b")]
    row = found["embeddings"]["table"].rows[1]
    assert [cell.text for cell in row] == ["revised", "a", "forgotten", "1", "25%", "50%"]
    assert row[4].key == "/audits/embeddings/facts/groups/revised/0/same_class"
    assert "The figures of this picture" in to_html(DIFF)


def test_figures_are_traced_to_the_audits():
    row = view(DIFF)["table"].rows[0]
    assert (row[1].text, row[4].key) == ("auc loss", "/audits/membership/rows/0/revised/value")


def test_what_was_not_measured_says_why():
    assert view(DIFF)["not_measured"] == ["relearning: There was no time."]
    assert "<li>relearning: There was no time.</li>" in to_html(DIFF)


def test_without_audits_there_is_no_plot():
    found = view({**DIFF, "audits": {}})
    assert [found[name] for name in ("statistics", "membership", "probe", "embeddings")] == [None] * 4
    assert "No audit was asked for." in to_html({**DIFF, "audits": {}})


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        ({"original": FULL, "revised": CLOSE, "revised_recalibrated": CLOSE}, "the forgetting is in the weights."),
        ({"original": FULL, "revised": FORGOT, "revised_recalibrated": FULL}, "<strong>It is an artefact.</strong>"),
        ({"original": FULL, "revised": CLOSE}, "keeps no BatchNorm statistics"),
    ],
)
def test_sentences_follow_from_the_numbers(models, sentence):
    assert sentence in to_html(build(**models))


def test_a_row_without_subset_is_about_all():
    diff = copy.deepcopy(DIFF)
    diff["audits"]["membership"]["rows"][0]["subset"] = None
    assert view(diff)["table"].rows[0][2].text == "all"
