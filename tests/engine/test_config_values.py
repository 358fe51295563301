from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from monai.bundle import ConfigParser

from monai_unlearn.engine import Retraining, Revision
from monai_unlearn.engine.config_values import build_from_config, config_values, on_the_stack, taken_by_name
from monai_unlearn.engine.host import ours
from monai_unlearn.errors import ConfigError


@dataclass(kw_only=True)
class Component:
    """Stands for a component of a bundle."""

    data: Any
    seed: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_config(cls, **given):
        return build_from_config(cls, given)


def parsed(component, **config):
    """Evaluate an expression about `Component` in a config."""
    parser = ConfigParser({**config, "component": component}, globals={"Component": Component})
    return parser.get_parsed_content("component")


def test_what_is_not_given_comes_from_the_config_and_is_the_same_object():
    found = parsed("$[Component.from_config(), @data]", data={"_target_": "dict", "a": 1}, seed="$1 + 2")
    assert found[0] == Component(data={"a": 1}, seed=3)
    assert found[0].data is found[1]


def test_what_is_given_comes_first_and_replaces_what_is_not_even_evaluated():
    assert parsed("$Component.from_config(data=5)", data="$1 / 0") == Component(data=5)
    assert parsed("$Component.from_config(seed=5)", data=1, seed=3) == Component(data=1, seed=5)


def test_null_in_the_config_is_a_value_and_a_default_needs_no_setting():
    assert parsed("$Component.from_config()", data=None) == Component(data=None)


def test_what_is_required_and_missing_is_named():
    with pytest.raises(RuntimeError, match="Failed to evaluate") as caught:
        parsed("$Component.from_config()", seed=3)
    assert "Component.from_config: expected data in the config, found none. Define" in str(ours(caught.value))


def test_outside_a_config_there_are_only_the_arguments():
    assert config_values(("data",)) == {}
    assert on_the_stack(ConfigParser) is None
    assert Component.from_config(data=1) == Component(data=1)


def test_settings_taken_by_name_are_found_at_any_depth():
    config = {
        "revision": {
            "_target_": "monai_unlearn.engine.Revision.from_config",
            "parts": [{"_target_": "monai_unlearn.engine.Retraining.from_config", "shared": ["view"]}],
        },
        "other": {"_target_": "monai_unlearn.methods.PSG", "shared": ["position"]},
    }
    names = set(taken_by_name(config))
    assert {"stop", "decision", "cohort_spec", "view"} < names
    assert names & {"position", "parts", "revision"} == set()
    assert set(taken_by_name({"a": {"_target_": "nowhere.from_config"}})) == set()


def test_the_components_that_take_settings_by_name():
    for component in (Revision, Retraining):
        target = f"monai_unlearn.engine.{component.__name__}.from_config"
        names = set(component.__dataclass_fields__)
        assert set(taken_by_name({"_target_": target})) == names
        assert set(taken_by_name({"_target_": target, "bundle_root": "."})) == names - {"bundle_root"}


def test_a_shared_setting_that_the_config_lacks_is_named():
    given = {"configs": [], "bundle_root": ".", "index_dir": ".", "cohort_spec": ".", "device": "cpu"}
    with pytest.raises(ConfigError, match="retraining: shared names view, which the config does not define"):
        Retraining.from_config(shared=["view"], **given)
    assert Retraining.from_config(overrides={"max_epochs": 1}, **given).overrides == {"max_epochs": 1}


def test_training_gets_the_shared_settings_of_the_run_unless_they_are_overridden():
    section = {
        "_target_": "monai_unlearn.engine.Retraining.from_config",
        "configs": ["train.yaml"],
        "shared": ["mean", "std"],
        "overrides": {"std": 2, "max_epochs": 1},
    }
    settings = {"bundle_root": ".", "index_dir": "index", "cohort_spec": "spec.yaml", "device": "cpu"}
    found = parsed(section, **settings, mean="$1 + 2", std=5)
    assert found.overrides == {"mean": 3, "std": 2, "max_epochs": 1}
    assert (found.configs, found.index_dir) == (["train.yaml"], "index")
