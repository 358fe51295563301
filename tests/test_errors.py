from __future__ import annotations

import pytest

from monai_unlearn import errors
from monai_unlearn.errors import (
    CohortError,
    ConfigError,
    DataError,
    ExitCode,
    IndexReadError,
    InputError,
    NotAccepted,
    SpecError,
    TrainingError,
    UnlearnError,
    check_choice,
    did_you_mean,
    nearest,
)


@pytest.mark.parametrize("error", [SpecError, CohortError, IndexReadError, DataError, ConfigError])
def test_what_the_caller_can_fix_is_an_input_error_and_ends_with_2(error):
    assert issubclass(error, InputError)
    assert error.exit_code == ExitCode.BAD_INPUT == 2


def test_the_rest_ends_with_1():
    assert not issubclass(TrainingError, InputError)
    assert TrainingError.exit_code == UnlearnError.exit_code == ExitCode.UNEXPECTED == 1


def test_a_result_that_is_not_accepted_ends_with_3():
    assert not issubclass(NotAccepted, InputError)
    assert NotAccepted.exit_code == ExitCode.NOT_ACCEPTED == 3


def test_every_error_has_the_one_root():
    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert {*found} > {InputError, TrainingError, NotAccepted}
    assert all(issubclass(error, UnlearnError) for error in found)


def test_scripts_tell_a_result_that_is_not_accepted_from_bad_input():
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "UNEXPECTED": 1,
        "BAD_INPUT": 2,
        "NOT_ACCEPTED": 3,
    }


@pytest.mark.parametrize(
    ("word", "expected"), [("forgt", "forget"), ("remains", "remain"), ("forget", "forget"), ("zzz", None), ("", None)]
)
def test_the_nearest_word_is_found_if_any_is_near(word, expected):
    assert nearest(word, ("forget", "remain")) == expected
    assert did_you_mean(word, ("forget", "remain")) == (f" Did you mean '{expected}'?" if expected else "")


def test_any_iterable_of_words_will_do():
    assert nearest("forgt", (word for word in ("forget", "remain"))) == "forget"


def test_a_known_word_is_accepted():
    check_choice("erase", iter(("erase", "match_reference")), name="objective")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("eras", "objective: expected one of erase, match_reference, got 'eras'. Did you mean 'erase'?"),
        ("zzz", "objective: expected one of erase, match_reference, got 'zzz'."),
        (None, "objective: expected one of erase, match_reference, got 'None'."),
    ],
)
def test_an_unknown_word_is_refused_with_the_choices(word, message):
    with pytest.raises(SpecError) as caught:
        check_choice(word, ("erase", "match_reference"), name="objective", error=SpecError)
    assert str(caught.value) == message
