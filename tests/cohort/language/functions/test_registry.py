from __future__ import annotations

import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.functions import FUNCTIONS, Function, register
from monai_unlearn.errors import SpecError


@pytest.fixture
def half():
    function = Function(name="half", words="half of {0}", sql=lambda items: f"{items[0]} / 2")
    register(function)
    yield function
    del FUNCTIONS["half"]


def test_a_registered_function_can_be_written_at_once(half):
    assert parse("HALF(vpf) > 1").term.function == "half"
    with pytest.raises(SpecError, match=r"There is no function 'halff'\. Did you mean 'half'\?"):
        parse("halff(vpf) > 1")


def test_registering_a_duplicate_name_raises(half):
    with pytest.raises(ValueError, match="the function 'half' is already registered"):
        register(half)
    with pytest.raises(ValueError, match="the function 'mean' is already registered"):
        register(Function(name="mean", words="another"))


def test_every_function_is_registered_under_the_name_that_authors_write():
    assert all(name == function.name == name.lower() for name, function in FUNCTIONS.items())
