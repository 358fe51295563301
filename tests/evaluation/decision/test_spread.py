from __future__ import annotations

from decision_example import binary, decision, everywhere, table

from monai_unlearn.evaluation.decision import decide

GOOD = everywhere(binary(0.8, 0.8))
SHARES = {
    "original": everywhere(binary(0.99, 0.99)),
    "revised": GOOD,
    **{f"reference-{seed}": GOOD for seed in range(3)},
}


def test_other_seeds_change_no_verdict():
    alone = decide(decision(), table(SHARES, patients=400))
    assert alone.to_dict()["spread"] is None
    bad = everywhere(binary(0.3, 0.3))
    together = decide(decision(), table({**SHARES, "repeat-1": bad}, patients=400))
    assert together.verdict == "equivalent"
    spread = together.to_dict()["spread"]
    assert spread["networks"] == [
        {"name": "revised", "verdict": "equivalent"},
        {"name": "repeat-1", "verdict": "different"},
    ]
    first = spread["endpoints"][0]
    assert first["smallest"] < 0.4
    assert first["largest"] > 0.7


def test_a_bad_revision_is_not_averaged_into_a_good_one():
    bad = everywhere(binary(0.3, 0.3))
    repeats = {f"repeat-{seed}": GOOD for seed in range(1, 5)}
    assert decide(decision(), table({**SHARES, "revised": bad, **repeats}, patients=400)).verdict == "different"
