from __future__ import annotations

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.search_space import (
    check_vary,
    method_setting,
    narrowed,
    search_spaces,
    size_of,
    start_of,
)
from monai_unlearn.methods import registered


def test_spaces_are_those_of_the_registration(tmp_path):
    found = search_spaces(["reset", "psg", "ssd"], folder=tmp_path)
    assert found["reset"] == {key: list(one) for key, one in registered()["reset"][0].search_space.items()}
    assert set(search_spaces(["all"], folder=tmp_path)) == set(registered()) - {"composition"}
    with pytest.raises(ConfigError, match="--methods: expected one of .* Did you mean 'reset'"):
        search_spaces(["rest"], folder=tmp_path)
    with pytest.raises(ConfigError, match="--methods psg,psg: expected each method once"):
        search_spaces(["psg", "psg"], folder=tmp_path)


def test_all_takes_every_method_beside_whatever_is_named(tmp_path):
    every = search_spaces(["all"], folder=tmp_path)
    assert search_spaces(["reset", "all"], folder=tmp_path) == every
    assert set(search_spaces(["all", "default"], folder=tmp_path, default=True)) == {*every, "default"}
    with pytest.raises(ConfigError, match="--methods: expected one of .*default.*, all, got 'rest'"):
        search_spaces(["rest"], folder=tmp_path, default=True)


def test_an_id_to_vary_that_no_method_has_is_refused(tmp_path):
    spaces = search_spaces(["reset", "default"], folder=tmp_path, default=True)
    check_vary(["training::rate_factor"], spaces, folder=tmp_path)
    check_vary(["method::kept"], spaces, folder=tmp_path)  # not of these methods, but of another
    with pytest.raises(ConfigError, match="--vary: expected one of .* Did you mean 'training::rate_factor'"):
        check_vary(["training::rate_facto"], spaces, folder=tmp_path)


@pytest.mark.parametrize("name", sorted(registered()))
def test_a_method_takes_every_value_of_its_space(name):
    info, kind = registered()[name]
    for key, values in info.search_space.items():
        assert len(set(values)) == len(values) >= 1
        for value in values:
            method, beside = method_setting(name, {**start_of(info.search_space), key: value})
            assert method.pop("name") == name
            kind(**method)
            assert set(beside) <= {"training::rate_factor", "budget", "recalibrate"}


def test_sizes_and_starts():
    space = {"a": [1, 2, 3], "b": ["x", "y"]}
    assert (size_of(space), start_of(space)) == (6, {"a": 1, "b": "x"})
    assert (size_of({}), start_of({})) == (1, {})


def test_only_what_is_named_varies_and_all_where_a_method_has_none_of_it():
    space = {"a": [1, 2, 3], "b": ["x", "y"]}
    assert narrowed(space, ["b", "c"]) == {"a": [1], "b": ["x", "y"]}
    assert narrowed(space, ["c"]) == narrowed(space, []) == space


def test_the_default_is_a_name_only_where_it_is_allowed(tmp_path):
    assert search_spaces(["default", "ssd"], folder=tmp_path, default=True)["default"] == {}
    with pytest.raises(ConfigError, match="--methods: expected one of"):
        search_spaces(["default"], folder=tmp_path)
