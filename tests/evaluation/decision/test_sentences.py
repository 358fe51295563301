from __future__ import annotations

from dataclasses import replace

from monai_unlearn.evaluation.decision.comparison import Comparison
from monai_unlearn.evaluation.decision.sentences import LIMIT, NAMED, difference, named, place, points

ONE = Comparison(
    subset="forget_train",
    label="A",
    predicted="A",
    measure="mean_probability",
    margin=0.1,
    sides="both",
    patients=40,
    value=0.785,
    target=0.07,
    low=0.6,
    high=0.8,
)


def test_a_difference():
    assert difference(ONE, "retrained networks") == (
        "forget train, class A: mean probability of A 78.5 %, retrained networks 7.0 %; difference +71.5 points "
        "(90 % interval +60.0 to +80.0, margin 10, 40 patients)."
    )


def test_a_share_against_a_limit():
    share = replace(ONE, label="all", measure="sensitivity", target=0.0)
    assert difference(share, LIMIT) == (
        "forget train: share classified correctly 78.5 % (90 % interval 60.0 % to 80.0 %, limit 10 %, 40 patients)."
    )


def test_the_largest_gaps_are_named_first():
    many = [replace(ONE, label=f"c{i}", value=0.1 * i) for i in range(9)]
    said = named(many, "the original")
    assert len(said) == NAMED + 1
    assert said[0].startswith("forget train, class c8:")
    assert said[-1] == "And 3 more of the endpoints."
    assert named([], "the original") == []


def test_words():
    assert place(replace(ONE, label="all")) == "forget train"
    assert points(-0.0123) == "−1.2"
    assert "share called healthy" in difference(replace(ONE, measure="false_negatives"), "the original")
