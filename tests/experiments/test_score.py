from __future__ import annotations

import pytest

from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.experiments.score import best, choose_criterion, figures


def metrics(*, reference=True, batch_norm=True, n=50, **accuracies):
    """A run's figures; those of test images are impossible, and must not matter."""
    given = {
        "original": (0.9, 0.95),
        "revised": (0.1, 0.5),
        "original_recalibrated": (0.9, 0.94),
        "revised_recalibrated": (0.2, 0.9),
        "reference": (0.05, 0.93),
        **accuracies,
    }
    wanted = [
        name for name in given if (batch_norm or "recalibrated" not in name) and (reference or name != "reference")
    ]
    return {
        "models": {
            name: {
                part: {"validation": {"n": n, "accuracy": accuracy}, "test": {"n": 9, "accuracy": -7.0}}
                for part, accuracy in zip(("forget", "remain"), given[name], strict=True)
            }
            for name in wanted
        },
        "cost": {
            "gradient_evaluations": {"unlearning": 100},
            "share_of_retraining_gradients": 0.1,
            "seconds": {"unlearning": 2.0},
        },
        "verdict": "inconclusive",
    }


@pytest.mark.parametrize(
    ("wanted", "reference", "expected"),
    [
        (None, None, "erase"),
        (None, "retrain", "gap_to_reference"),
        ("erase", "retrain", "erase"),
        ("gap_to_reference", "a.pt", "gap_to_reference"),
    ],
)
def test_the_criterion_follows_the_reference_unless_it_is_given(wanted, reference, expected):
    assert choose_criterion(wanted, reference=reference) == expected


@pytest.mark.parametrize(
    ("wanted", "message"),
    [("gap_to_reference", "needs a reference"), ("eras", "--criterion: expected one of .*'erase'")],
)
def test_refuses_a_criterion_that_cannot_be_used(wanted, message):
    with pytest.raises(ConfigError, match=message):
        choose_criterion(wanted, reference=None)


def test_the_gap_is_to_the_reference_after_recalibration():
    found = figures(metrics(), "gap_to_reference")
    assert found["read_as"] == "revised_recalibrated"
    assert (found["forget"], found["remain"]) == (0.2, 0.9)
    assert found["score"] == pytest.approx(0.15 + 0.03)


def test_erasing_is_judged_without_a_reference():
    found = figures(metrics(reference=False), "erase")
    assert found["score"] == pytest.approx(0.2 + 0.04)
    assert found["forget_gap"] is None
    assert figures(metrics(reference=False), "gap_to_reference")["score"] is None


def test_a_gain_on_remain_images_does_not_offset_the_forget_accuracy():
    found = figures(metrics(revised_recalibrated=(0.2, 0.99)), "erase")
    assert found["score"] == pytest.approx(0.2)


def test_without_batch_norm_the_plain_figures_count():
    found = figures(metrics(batch_norm=False), "erase")
    assert found["read_as"] == "revised"
    assert found["score"] == pytest.approx(0.1 + 0.45)


def test_refuses_runs_without_validation_images():
    with pytest.raises(DataError, match="the forget part has no validation image"):
        figures(metrics(n=0), "erase")
    without = metrics()
    del without["models"]["revised_recalibrated"]["remain"]["validation"]
    with pytest.raises(DataError, match="the remain part has no validation image"):
        figures(without, "erase")


def trial(name, score, gradients=1, status="finished"):
    return {"name": name, "score": score, "gradient_evaluations": gradients, "status": status}


def test_the_best_is_the_smallest_then_the_cheapest_then_the_first():
    failed = {"name": "failed", "status": "failed"}
    assert best([failed, trial("a", 0.3), trial("b", 0.1, 9), trial("c", 0.1, 5), trial("d", 0.1, 5)])["name"] == "c"
    assert best([failed, trial("a", None)]) is None
