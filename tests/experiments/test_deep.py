from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nightly import nightly
from played_rehearsal import PlayedRehearsal
from tiny import tiny_index, tiny_spec

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.evaluation.audits.klom import klom, margins
from monai_unlearn.evaluation.prediction_table import Network, PredictionTable
from monai_unlearn.experiments import experiment as module
from monai_unlearn.experiments.deep import Deep, klom_of
from monai_unlearn.experiments.draw import given_cohort
from monai_unlearn.experiments.rehearsal_plan import RehearsalPlan
from monai_unlearn.experiments.rehearsal_runs import RehearsalRuns
from monai_unlearn.experiments.rehearse import rehearse
from monai_unlearn.index import Index

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "fundus_classifier"
TINY = {
    "class_names": "['up','down']",
    "image_size": "[16,16]",
    "device": "cpu",
    "batch_size": "8",
    "decision::healthy_classes": "[]",
}
ROLES = ("original", "revised", "reference")
IMAGES = pd.DataFrame(
    {
        "image_id": [f"image-{number}" for number in range(12)],
        "patient": [f"patient-{number}" for number in range(12)],
        "part": ["forget"] * 6 + ["remain"] * 6,
        "split": ["train", "train", "train", "test", "test", "test"] * 2,
        "label": ["up", "down"] * 6,
    }
)


def tables(count=20, *, moved=0.0, seed=0):
    """What pairs of networks say; `moved` is how far the logit of `up` is moved where nobody forgot."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        logits = {role: rng.normal(size=(len(IMAGES), 2)) for role in ROLES}
        logits["original"][:, 0] += moved
        networks = tuple(Network(name=role, role=role) for role in ROLES)
        found.append(PredictionTable(frame=IMAGES, class_names=("up", "down"), networks=networks, logits=logits))
    return found


def by_hand(found, role, rows):
    """KLoM of the networks of a role on some images, from one logit minus the other."""
    sign = np.where(IMAGES["label"] == "up", 1, -1)
    both = [
        np.stack([sign * (one.logits[name][:, 0] - one.logits[name][:, 1]) for one in found])[:, rows]
        for name in (role, "reference")
    ]
    return klom(*both).summary()


def test_each_subset_is_compared_image_by_image():
    found = tables()
    rows = {row["subset"]: row for row in klom_of(found)}
    assert set(rows) == {"forget_train", "forget_test", "remain_train", "remain_test"}
    assert rows["forget_train"]["mean"] == pytest.approx(by_hand(found, "revised", [0, 1, 2])["mean"], rel=1e-5)
    assert rows["remain_test"]["original_percentile_95"] == pytest.approx(
        by_hand(found, "original", [9, 10, 11])["percentile_95"], rel=1e-5
    )
    assert (rows["forget_test"]["images"], rows["forget_test"]["left_out"]) == (3, 0)


def test_networks_that_never_forgot_lie_far_above_those_that_did():
    (row, *_) = klom_of(tables(40, moved=12.0))
    assert row["original_mean"] > 8
    assert row["mean"] < row["floor_mean"] + 1


def test_an_image_without_a_finite_output_is_left_out():
    found = tables()
    found[3].logits["revised"].setflags(write=True)
    found[3].logits["revised"][1] = np.nan
    found[4].logits["reference"][2] = np.inf
    (row,) = [one for one in klom_of(found) if one["subset"] == "forget_train"]
    assert (row["images"], row["left_out"]) == (1, 2)
    assert np.isfinite(row["mean"])


def test_what_cannot_be_compared_is_refused():
    found = tables()
    other = PredictionTable(
        frame=IMAGES.assign(image_id=IMAGES["image_id"][::-1].to_list()),
        class_names=("up", "down"),
        networks=found[0].networks,
        logits=found[0].logits,
    )
    with pytest.raises(DataError, match="for the same images"):
        klom_of([*found, other])
    alone = PredictionTable(
        frame=IMAGES,
        class_names=("up", "down"),
        networks=found[0].networks[:2],
        logits={name: found[0].logits[name] for name in ROLES[:2]},
    )
    with pytest.raises(DataError, match="a network of the role reference in each run"):
        klom_of([*found, alone])
    with pytest.raises(DataError, match="at least 20"):
        klom_of(found[:19])


@nightly
def test_a_pair_is_a_network_that_forgets_and_one_without_the_cohort(tmp_path):
    index, path = tiny_index(tmp_path), tiny_spec(tmp_path)
    fixed = {**TINY, "split::test_fraction": "0.3", "steps": "2"}
    runs = RehearsalRuns(
        config=BUNDLE / "configs" / "unlearn.yaml",
        index=tmp_path / "index",
        index_digest=index.digest,
        fixed=fixed,
        seeds=3,
        out=tmp_path / "out",
    )
    small = {"max_epochs": "1", "network_def::block_inplanes": "[4,4,8,8]"}
    settings = {"method::depth": "head", "training::rate_factor": 2.0}
    deep = Deep(runs=runs, cohort=given_cohort(path, index), method="reset", settings=settings, small=small)
    done = []
    table = deep.pair(1, lambda: done.append(1))
    assert [len(table.named(role)) for role in ROLES] == [1, 1, 1]
    records = [
        json.loads((folder / "training.json").read_text(encoding="utf-8"))
        for folder in (deep.original(1).output.root, *deep.revised(1).output.references())
    ]
    assert [(one["seed"], one["parts"]) for one in records] == [
        (2, ["forget", "remain", "undetermined"]),
        (3, ["remain"]),
    ]
    assert {one["recipe"]["network_def::block_inplanes::0"] for one in records} == {4}
    assert {one["recipe"]["max_epochs"] for one in records} == {1}
    config = json.loads(deep.revised(1).output.record.read_text(encoding="utf-8"))["config"]
    assert (config["method"], config["split"]["test_fraction"]) == ({"name": "reset", "depth": "head"}, 0.3)
    # What is finished is read, and not run again.
    before = deep.revised(1).output.record.stat().st_mtime_ns
    assert deep.pair(1, lambda: done.append(1)).frame.equals(table.frame)
    assert deep.revised(1).output.record.stat().st_mtime_ns == before
    assert len(done) == 4


@pytest.fixture
def played(tmp_path, monkeypatch):
    monkeypatch.setattr(
        module, "search_spaces", lambda names, **_: {name: {"method::depth": ["head"]} for name in names}
    )
    return PlayedRehearsal(tmp_path, monkeypatch)


def rehearsed(played, **changed):
    values = {"deep": 20, "small": {"max_epochs": "1", "network_def::block_inplanes": "[4]"}, "jobs": 1, **changed}
    plan = RehearsalPlan(
        config=played.config,
        index=played.index,
        specs=[played.spec],
        draw=2,
        tune_on=0,
        methods=["reset"],
        fixed={"image_size": "[16,16]"},
        **values,
    )
    seen = []
    return rehearse(plan, played.out, progress=lambda *one: seen.append(one)), seen


def test_a_deep_rehearsal_writes_klom_and_goes_on_where_it_stopped(played):
    def interrupted(_):
        if len(played.runs) == 2 + 15:
            raise KeyboardInterrupt

    played.play = interrupted
    with pytest.raises(KeyboardInterrupt, match="^$"):
        rehearsed(played)
    assert "deep" not in json.loads((played.out / "rehearse.json").read_text(encoding="utf-8"))
    played.play = lambda _: None
    document, seen = rehearsed(played)
    assert len(played.runs) == 2 + 2 * 20 + 1
    assert seen[-1] == ("20 pairs of small networks", 42, 42)
    counted = next(one["name"] for one in document["cohorts"] if one["role"] == "counted")
    assert (document["deep"]["cohort"], document["deep"]["networks"]) == (counted, 20)
    assert {row["subset"] for row in document["deep"]["klom"]} >= {"forget_train", "remain_test"}
    assert document == json.loads((played.out / "rehearse.json").read_text(encoding="utf-8"))
    page = (played.out / "rehearse.md").read_text(encoding="utf-8")
    assert f"20 networks that forgot {counted} by reset" in page
    assert "| KLoM on | images | before | revised | floor |" in page
    assert len({run["seed"] for run in played.runs[2:]}) == 40 - 10  # of each pair its own; 1 to 20, and 2 to 40


def test_networks_are_small_in_both_runs_and_trained_in_one(played):
    rehearsed(played)
    training = [run for run in played.runs if "checkpoint" in run and "method" not in run]
    forgetting = [run for run in played.runs if "checkpoint" in run and "method" in run]
    assert len(training) == len(forgetting) == 20
    assert {run["max_epochs"] for run in training} == {"1"}
    assert not any("max_epochs" in run for run in forgetting)
    assert {run["network_def::block_inplanes"] for run in (*training, *forgetting)} == {"[4]"}
    assert {(run["reference"], run["reference_seeds"]) for run in forgetting} == {("retrain", "1")}
    real = set(CohortSpec.read(played.spec).resolve(Index.open(played.index)).forget["image_id"])
    forgotten = CohortSpec.read(Path(training[0]["cohort_spec"])).resolve(Index.open(played.index)).forget
    assert not real & set(forgotten["image_id"])


def test_a_config_that_cannot_be_read_is_named(played):
    played.config.write_text("a: [", encoding="utf-8")
    runs = RehearsalRuns(config=played.config, index=played.index, index_digest="x", fixed={}, seeds=3, out=played.out)
    cohort = given_cohort(played.spec, Index.open(played.index))
    with pytest.raises(ConfigError, match=r"unlearn\.yaml: expected a bundle's config"):
        Deep(runs=runs, cohort=cohort, method="reset", settings={}, small={}).original(1)


def test_a_margin_of_two_classes_is_the_difference_of_their_logits():
    assert margins(np.array([[2.0, 0.5]]), np.array([1])).tolist() == [-1.5]
