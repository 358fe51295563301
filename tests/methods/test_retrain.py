from __future__ import annotations

from method_bench import same
from method_steps import Run, assert_resumes_and_repeats

from monai_unlearn.methods import Retrain, Scratch, info_of


def test_it_starts_and_learns_as_scratch_does():
    runs = (Run(method).prepare().take(0, 4) for method in (Retrain(), Scratch()))
    assert same(*(run.weights() for run in runs))
    assert_resumes_and_repeats(Retrain)


def test_its_record_says_what_budget_it_needs():
    info = info_of(Retrain())
    assert "budget: 1" in info.cost
    assert (info.name, info.suits) == ("retrain", ())
    assert Retrain.steps.remain_batch_size == 32
