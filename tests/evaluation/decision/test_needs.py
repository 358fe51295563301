from __future__ import annotations

from dataclasses import replace

import pytest
from decision_example import comparison
from scipy.stats import t

from monai_unlearn.evaluation.decision.needs import (
    Need,
    few_patients,
    merged,
    missing_outputs,
    missing_reference,
    more_evidence,
    more_seeds,
)

ONE = comparison(low=-0.2, high=0.2, target_distance=0.017, patient_distance=0.2)


def test_a_class_with_few_patients_is_named_with_the_number_that_would_decide():
    (need,) = few_patients([replace(ONE, patients=12), replace(ONE, patients=12, predicted="b"), ONE])
    assert need.to_dict() == {
        "what": "patients",
        "text": "forget test, class a: needs at least 30 patients, has 12.",
        "subset": "forget_test",
        "class": "a",
        "has": 12,
        "needs": 30,
    }


def test_a_class_without_images_is_named():
    (need,) = few_patients([replace(ONE, patients=0, value=None, min_patients=0, fault="there is no image")])
    assert (need.has, need.needs) == (0, 2)


def test_more_patients():
    (need,) = more_evidence([ONE])
    # The distance for patients must fall from 0.2 to √(0.1² − 0.017²).
    assert need.what == "patients"
    assert need.needs == pytest.approx(50 * 0.2**2 / (0.1**2 - 0.017**2), abs=1)


def test_more_seeds_bring_the_interval_inside():
    wide = replace(ONE, seed_sd=0.08, target_distance=0.135, patient_distance=0.03)
    (need,) = more_evidence([wide])
    assert need.what == "seeds"
    distance = t.ppf(0.95, need.needs - 1) * 0.08 / need.needs**0.5
    assert distance**2 + 0.03**2 <= 0.1**2
    fewer = need.needs - 1
    assert (t.ppf(0.95, fewer - 1) * 0.08 / fewer**0.5) ** 2 + 0.03**2 > 0.1**2
    assert "About" in need.text
    assert "8.0 points apart" in need.text


def test_networks_that_never_agree():
    (need,) = more_evidence([replace(ONE, seed_sd=0.45, target_distance=0.76, patient_distance=0.01)])
    assert need.needs is None
    assert need.text == (
        "More than 50 seeds cannot be asked for; on forget test, class a, the retrained networks lie 45.0 points apart "
        "(standard deviation). Train them longer, so that they agree."
    )


def test_numbers_beyond_reason_are_not_asked_for():
    """Near its margin a difference would take thousands of patients, whom no hospital can be sent to find."""
    near = replace(ONE, value=0.599, seed_sd=1e-5, target_distance=1e-5)
    (need,) = more_evidence([near])
    assert (need.what, need.needs, need.has) == ("patients", None, 50)
    assert need.text == (
        "forget test, class a: more than 1,000 patients cannot be asked for; the difference, +9.9 points, leaves too "
        "little room to the margin, 10. Revise again, or declare another margin before the next run."
    )
    # Whoever has many can be asked for as many again.
    (need,) = more_evidence([replace(near, value=0.58, patients=900, patient_distance=0.025)])
    assert need.needs == pytest.approx(900 * (0.025 / 0.02) ** 2, abs=1)
    few = replace(ONE, patients=5, min_patients=8000)
    (need,) = few_patients([few])
    assert need.needs == 8000  # what was declared is what is needed


def test_of_two_needs_the_one_that_no_number_meets_stays():
    number, without = (
        Need(what="patients", text=str(n), subset="forget_test", label="a", has=5, needs=n) for n in (99, None)
    )
    assert merged([number, without]) == [without]
    assert merged([without, number]) == [without]


def test_no_number_helps_a_difference_beyond_the_margin():
    assert more_evidence([replace(ONE, value=0.65, low=0.0, high=0.3)]) == []
    far = replace(ONE, value=0.65, low=0.0, high=0.3, seed_sd=0.07, target_distance=0.118)
    assert [need.what for need in more_evidence([far])] == ["seeds"]


def test_what_is_inside_needs_nothing():
    inside = replace(ONE, low=-0.05, high=0.05)
    assert more_evidence([inside, replace(ONE, rule="not_beyond"), replace(ONE, value=None)]) == []


def test_of_two_needs_the_larger_stays():
    small, large = (
        Need(what="patients", text=str(n), subset="forget_test", label="a", has=5, needs=n) for n in (30, 99)
    )
    assert merged([small, large, more_seeds(1)]) == [large, more_seeds(1)]


def test_others():
    assert "--reference retrain --reference_seeds 3" in missing_reference().text
    assert more_seeds(2).to_dict()["needs"] == 3
    fault = "3 of 5 images have no finite output of revised"
    (need,) = missing_outputs([replace(ONE, value=None, fault=fault)] * 2)
    assert fault in need.text
