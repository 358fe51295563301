from __future__ import annotations

import pytest

from monai_unlearn.studio.progress import progress_of


def test_the_last_step_counts_whatever_is_printed_after_it():
    log = "Training: step 3/3, loss 1.2, 0:00:00 left\nUnlearning: step 2/40, forget, loss 0.9, 0:00:30 left\nNote: x\n"
    assert progress_of(log) == {
        "step": 2,
        "total": 40,
        "text": "Unlearning: step 2 of 40, forget, loss 0.9, 0:00:30 left",
    }


@pytest.mark.parametrize(
    "log", ["", "Reading images", "about Unlearning: step 2/40", "step 2/40", "Unlearning: step x/3"]
)
def test_before_the_first_step_nothing_is_known(log):
    assert progress_of(log) is None


def test_more_steps_than_planned_are_all_of_them():
    assert progress_of("Unlearning: step 12/10, loss 1")["step"] == 10
