from __future__ import annotations

import configparser

import pytest

from monai_unlearn.release.config_code import code_of, code_of_logging, counts


def found(config):
    return [(one.kind, one.where, one.text, one.outside) for one in code_of(config)]


@pytest.mark.parametrize(
    ("config", "kind", "where", "outside"),
    [
        ({"a": "$1 + 1"}, "expression", "a", False),
        ({"a": {"b": ["$@x::y + @z#0"]}}, "expression", "a::b::0", False),
        ({"a": "$__import__('os').system('x')"}, "expression", "a", True),
        ({"a": "$open('x')"}, "expression", "a", True),
        ({"a": "$torch.hub.load('x', 'y')"}, "expression", "a", True),
        ({"a": "$not python"}, "expression", "a", False),
        ({"imports": ["$import glob"]}, "import", "imports::0", True),
        ({"imports": ["$from scripts.net import Net"]}, "import", "imports::0", True),
        ({"imports": ["$from . import a"]}, "import", "imports::0", True),
        ({"imports": ["$import monai_unlearn.engine as engine"]}, "import", "imports::0", False),
        ({"imports": ["$import torch, os"]}, "import", "imports::0", True),
        ({"a": {"_target_": "scripts.net.Net"}}, "target", "a::_target_", True),
        ({"a": {"_target_": "os.system"}}, "target", "a::_target_", True),
        ({"a#_target_": "os.system"}, "target", "a#_target_", True),
        ({"a": {"_target_": "torchvision.models.resnet18"}}, "target", "a::_target_", True),
        ({"a": {"_target_": "torch.hub.load"}}, "target", "a::_target_", False),
        ({"a": {"_target_": "$@b"}}, "expression", "a::_target_", False),
        ({"a": "%other.json::b"}, "include", "a", False),
        ({"a": "%/etc/x.json::b"}, "include", "a", True),
    ],
)
def test_what_executes_is_found(config, kind, where, outside):
    ((got_kind, got_where, _, got_outside),) = found(config)
    assert (got_kind, got_where, got_outside) == (kind, where, outside)


@pytest.mark.parametrize(
    "config",
    [
        {"a": {"_target_": "ResNet"}},
        {"a": {"_target_": "monai.networks.nets.ResNet"}, "b": {"_target_": "torch.optim.Adam"}},
        {"a": {"_target_": "monai_unlearn.engine.train"}, "b": {"_target_": "ignite.metrics.Accuracy"}},
        {"a": "@b", "b": "price in $", "c": [1, None, True]},
        None,
    ],
)
def test_everything_else_is_data(config):
    assert not found(config)


def test_logging_configs_are_evaluated_by_python():
    text = "[handler_a]\nclass=StreamHandler\nargs=(sys.stdout,)\nlevel=INFO\n[handler_b]\nargs=(__import__('os'),)\n"
    assert [(one.where, one.outside) for one in code_of_logging(text)] == [
        ("handler_a::class", False),
        ("handler_a::args", False),
        ("handler_b::args", True),
    ]
    with pytest.raises(configparser.Error):
        list(code_of_logging("no config"))


def test_counts():
    assert counts({"a": list(code_of({"a": "$1", "b": {"_target_": "os.x"}}))}) == {
        "expression": 1,
        "import": 0,
        "target": 1,
        "include": 0,
    }
