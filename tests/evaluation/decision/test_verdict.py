from __future__ import annotations

import pytest

from monai_unlearn.evaluation.decision.verdict import Basis, Verdict, exit_code, promotes


def test_words():
    assert {one.value for one in Verdict} == {
        "equivalent",
        "different",
        "inconclusive",
        "target_undetermined",
        "not_known",
        "qualified",
        "erased",
        "not_erased",
    }
    assert {one.value for one in Basis} == {"reference", "protocol", "predicted", "none"}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_three_promote(verdict):
    expected = verdict.value in {"equivalent", "qualified", "erased"}
    assert promotes(verdict) is expected
    assert exit_code(verdict.value) == (0 if expected else 3)


def test_a_word_that_is_no_verdict():
    with pytest.raises(ValueError, match="accepted"):
        promotes("accepted")
