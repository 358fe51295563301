from __future__ import annotations

import json

from decision_example import binary, decision, everywhere, table

from monai_unlearn.evaluation.decision import decide
from monai_unlearn.evaluation.decision.outcome import SUMMARIES, TOP
from monai_unlearn.evaluation.decision.verdict import Verdict

GOOD = everywhere(binary(0.8, 0.8))
SHARES = {"original": everywhere(binary(0.99, 0.99)), "revised": GOOD, **{f"reference-{i}": GOOD for i in range(3)}}


def test_keys():
    outcome = decide(decision(), table(SHARES, patients=400))
    document = outcome.to_dict()
    assert list(document) == [
        "schema_version",
        "verdict",
        "line",
        "why",
        "needs",
        "basis",
        "notes",
        "references",
        "endpoints",
        "spread",
        "declared",
        "protocol",
        "predictor",
    ]
    assert (document["verdict"], document["basis"], document["references"]) == ("equivalent", "reference", 3)
    assert outcome.promotes
    assert outcome.exit_code == 0
    json.dumps(document, allow_nan=False)


def test_wider_margins_stand_in_the_line():
    wide = decision(endpoints=[{"subset": "forget_train", "margin": 0.3}, {"subset": "remain_test"}])
    outcome = decide(wide, table(SHARES, patients=400))
    assert outcome.verdict == "equivalent"
    assert "forget train is 30 points, wider than the default 10" in outcome.line
    assert decide(decision(), table(SHARES, patients=400)).line.endswith("without the cohort.")


def test_every_verdict_has_a_summary():
    assert set(SUMMARIES) == set(Verdict)


def test_metrics_hold_the_verdict_at_the_top_and_the_rest_below_decision():
    outcome = decide(decision(), table(SHARES, patients=400))
    found = outcome.to_metrics()
    assert list(found) == ["verdict", "why", "needs", "basis", "decision"]
    assert {**{key: found[key] for key in TOP}, **found["decision"]} == outcome.to_dict()
    assert not set(TOP) & set(found["decision"])
