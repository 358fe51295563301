from __future__ import annotations

import json

import pytest

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.overlay.config_data import ConfigData, components, target


def config(tmp_path, content, name="inference.json"):
    (tmp_path / "configs").mkdir(exist_ok=True)
    path = tmp_path / "configs" / name
    path.write_text(json.dumps(content))
    return ConfigData.read(path)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("@size", [2, 3]),
        ("$@size", [2, 3]),
        ("%size", [2, 3]),
        ({"spatial_size": "@size", "keys": ["@key"]}, {"spatial_size": [2, 3], "keys": ["image"]}),
        ("$@first + @last", ["a", "b"]),
        ("$@section::inner", 5),
        ("@section#inner", 5),
        ("$monai.utils.CommonKeys.LABEL", "label"),
        ("$len(@size)", "$len(@size)"),
        ("$@first + @missing", "$@first + @missing"),
        ("@missing", "@missing"),
        ("@loop", "@loop"),
    ],
)
def test_plain_references_are_followed_and_nothing_is_evaluated(tmp_path, value, expected):
    found = config(
        tmp_path,
        {
            "size": [2, 3],
            "key": "$monai.utils.CommonKeys.IMAGE",
            "first": ["a"],
            "last": ["b"],
            "section#inner": 5,
            "loop": "@loop",
            "section": {},
        }
        | {"section": {"inner": 5}},
    )
    assert found.resolved(value) == expected


def test_a_key_with_a_separator_is_within_another(tmp_path):
    found = config(tmp_path, {"train": {"a": 1}, "train#b": 2, "validate::c": 3})
    assert found.content == {"train": {"a": 1, "b": 2}, "validate": {"c": 3}}
    assert found.at("train::b") == 2
    assert found.at("train#missing") is None


def test_code_in_a_config_does_not_run(tmp_path):
    spy = tmp_path / "spy"
    found = config(tmp_path, {"a": f"$open({str(spy)!r}, 'w')", "b": "@a"})
    assert found.resolved("@b").startswith("$open")
    assert not spy.exists()


def test_the_closure_has_what_values_refer_to(tmp_path):
    found = config(
        tmp_path, {"network": "$@net.to(@device)", "net": {"classes": "$len(@names)"}, "names": [], "other": 1}
    )
    assert set(found.closure(found.at("network"))) == {"net", "names"}


def test_components_and_their_targets():
    value = {"a": {"_target_": "x.y.Net", "inner": [{"_target_": "Z"}]}}
    assert [(name, target(one)) for name, one in components(value)] == [("a", "Net"), ("a::inner::0", "Z")]
    assert target(3) == ""


def test_finds_a_config_by_any_suffix(tmp_path):
    config(tmp_path, {"a": 1}, "train.json")
    found = ConfigData.find(tmp_path, "train")
    assert found is not None
    assert found.content == {"a": 1}
    assert ConfigData.find(tmp_path, "inference") is None


def test_a_list_that_is_referred_to(tmp_path):
    found = config(tmp_path, {"handlers": [{"lr": "@rate"}], "rate": 1})
    assert found.resolved_list("@handlers") == [{"lr": "@rate"}]
    assert found.resolved_list(None) == []


def test_what_is_no_config_is_refused(tmp_path):
    (tmp_path / "configs").mkdir()
    path = tmp_path / "configs" / "inference.json"
    path.write_text("[1]")
    with pytest.raises(ConfigError, match="expected a config, a mapping in YAML or JSON"):
        ConfigData.read(path)
