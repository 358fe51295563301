from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from tiny import tiny_index, tiny_spec

from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.experiments.plan import Plan, require_validation
from monai_unlearn.index import write_index
from monai_unlearn.vocabulary.fields import Kind

KINDS = dict.fromkeys(("ManufacturerModelName", "diagnosis", "split"), Kind.TEXT)
CONFIG = "split: {seed: 0, test_fraction: 0.2}\nmethod: {noise: 0}\n"


@pytest.fixture
def plan(tmp_path) -> Plan:
    tiny_index(tmp_path)
    configs = tmp_path / "bundle" / "configs"
    configs.mkdir(parents=True)
    (configs / "unlearn.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "bundle" / "models").mkdir()
    (tmp_path / "bundle" / "models" / "model.pt").write_bytes(b"weights")
    return Plan(
        config=configs / "unlearn.yaml",
        spec=tiny_spec(tmp_path),
        index=tmp_path / "index",
        axes={"method::noise": ("0", "1"), "method::proximity_weight": ("0", "0.1", "1")},
        fixed={"split::validation_fraction": "0.3"},
        reference=None,
    )


def test_the_grid_is_every_combination_each_with_a_name_of_its_own(plan):
    trials = list(plan.trials(["a", "b"]))
    assert [tuple(trial.settings.values()) for trial in trials] == [
        (noise, proximity_weight) for noise in ("0", "1") for proximity_weight in ("0", "0.1", "1")
    ]
    assert len({trial.name for trial in trials}) == 6


def names(plan: Plan, digests=("a", "b")) -> set[str]:
    return {trial.name for trial in plan.trials(digests)}


def test_a_name_depends_on_what_decides_the_run_and_on_nothing_else(plan):
    before = names(plan)
    assert names(dataclasses.replace(plan, axes=dict(reversed(plan.axes.items())))) == before
    assert names(dataclasses.replace(plan, index=plan.index.parent / "moved")) == before
    wider = dataclasses.replace(plan, axes={**plan.axes, "method::noise": ("0", "1", "9")})
    assert before < names(wider)
    assert not before & names(plan, ["a", "c"])
    assert not before & names(dataclasses.replace(plan, fixed={"seed": "1"}))
    assert not before & names(dataclasses.replace(plan, reference="retrain"))


@pytest.mark.parametrize("path", ["bundle/configs/unlearn.yaml", "bundle/models/model.pt", "bundle/configs/train.yaml"])
def test_a_name_follows_configs_and_weights(plan, path):
    before = names(plan)
    plan.index.with_name(path.split("/")[0]).joinpath(*path.split("/")[1:]).write_bytes(b"seed: 9")
    assert not before & names(plan)


def test_a_name_follows_each_reference_of_a_list_and_its_record(plan, tmp_path):
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).write_bytes(b"1")
    listed = dataclasses.replace(plan, reference=f"['{tmp_path / 'a.pt'}', '{tmp_path / 'b.pt'}']")
    before = names(listed)
    (tmp_path / "b.pt").write_bytes(b"2")
    after = names(listed)
    (tmp_path / "training.json").write_bytes(b"{}")
    assert not before & after
    assert not after & names(listed)


def test_the_weights_may_be_named(plan, tmp_path):
    weights = tmp_path / "other.pt"
    weights.write_bytes(b"1")
    named = dataclasses.replace(plan, fixed={"checkpoint": str(weights)})
    before = names(named)
    weights.write_bytes(b"2")
    assert not before & names(named)


def test_validation_images_are_required(plan):
    assert all(digest.startswith("sha256:") for digest in require_validation(plan))
    for fixed in ({}, {"split": "{seed: 0, test_fraction: 0.2}"}):
        with pytest.raises(
            DataError, match=r"cohort '[\w-]+': the forget part has no validation image, and settings must not"
        ):
            require_validation(dataclasses.replace(plan, fixed=fixed))


def test_each_part_needs_validation_images_of_its_own(played_index):
    """The data frames of the parts count their rows from 0: those of one part must not stand for the other."""
    plan, cohort = played_index
    for part in ("forget", "remain"):
        own = dict(zip(cohort["image_id"], cohort["part"], strict=True))
        rows = cohort.assign(split=["train" if own[name] == part else "validation" for name in cohort["image_id"]])
        write_index(rows.drop(columns="part"), plan.index, kinds=KINDS, label="diagnosis")
        with pytest.raises(DataError, match=f"the {part} part has no validation image"):
            require_validation(plan)


@pytest.fixture
def played_index(plan):
    rows = [
        {
            "image_id": f"{device}{number}",
            "path": f"{device}{number}.png",
            "patient": f"{device}{number}",
            "ManufacturerModelName": device,
            "diagnosis": "up",
            "part": part,
        }
        for part, device in (("forget", "Old"), ("remain", "New"))
        for number in range(4)
    ]
    return plan, pd.DataFrame(rows)


def test_a_split_that_only_the_run_can_tell_is_left_to_the_run(plan):
    plan.config.write_text("split: {seed: '@seed'}\n", encoding="utf-8")
    assert require_validation(dataclasses.replace(plan, fixed={}))


@pytest.mark.parametrize("text", ["- a list", "split: [", "split: 3"])
def test_refuses_what_is_no_config(plan, text):
    plan.config.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="expected a bundle's config"):
        require_validation(plan)
    plan.config.unlink()
    with pytest.raises(ConfigError, match="expected a bundle's config"):
        require_validation(plan)
