from __future__ import annotations

import json

import pytest
from protocol_example import content
from pydantic import ValidationError

from monai_unlearn.evaluation.decision.protocol_parts import MeasuredPredictor, Range, Rehearsal, has_twice


def test_a_rehearsal_follows_from_its_evidence():
    given = content(cohorts=4, equivalent=3)["rehearsal"]
    found = Rehearsal.model_validate_json(json.dumps(given))
    assert (found.cohorts, found.equivalent) == (4, 3)
    with pytest.raises(ValidationError, match="numbers that 'evidence' shows"):
        Rehearsal.model_validate_json(json.dumps({**given, "equivalent": 4}))


def test_a_range_is_of_a_class_and_of_what_moved():
    plain = {"subset": "forget_test", "class": "sick", "low": -0.3, "high": 0.0}
    assert Range(**plain).place == ("forget_test", "sick", "mean_probability", None)
    other = Range(**plain, what="classified", predicted="healthy")
    assert other.place == ("forget_test", "sick", "classified", "healthy")
    with pytest.raises(ValidationError):
        Range(**{**plain, "low": -2.0})


def test_of_two_errors_for_one_class_neither_counts():
    error = {"subset": "forget_test", "class": "sick", "error": 0.1}
    one = {"name": "half_width", "reasons": ("other",), "cohorts": 3, "seeds": 3}
    assert MeasuredPredictor(**one, errors=(error,)).cohorts == 3
    with pytest.raises(ValidationError, match="one of 'errors' for each subset and class"):
        MeasuredPredictor(**one, errors=(error, error))


def test_what_occurs_twice():
    assert has_twice("aba")
    assert not has_twice("ab")
