from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch
from bundle_run import BUNDLE, judged, run
from protocol_example import COHORT, MOVES, content, ranges
from tiny import tiny_index, tiny_spec

from monai_unlearn.engine.chosen_method import method_of
from monai_unlearn.engine.protocol import applied_protocol, refuse_contradictions, settings_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision import Decision
from monai_unlearn.evaluation.decision.held_settings import RECIPE, held_settings
from monai_unlearn.evaluation.decision.protocol import Protocol
from monai_unlearn.methods import PSG, Reset, registered
from monai_unlearn.release import BundleInfo, weights_digest

CLASSES = ("up", "down")
DECISION = {"healthy_classes": [], "min_patients": 2}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The tiny cohort, and the bundle's network trained on all of it for an epoch."""
    folder = tmp_path_factory.mktemp("protocol")
    tiny_index(folder)
    tiny_spec(folder)
    run("train", "train.yaml", index_dir=str(folder / "index"), checkpoint=str(folder / "model.pt"), max_epochs=1)
    return folder


def digest_of(folder) -> str:
    return weights_digest(torch.load(folder / "model.pt", weights_only=True))


def write(path, weights, **changed):
    """A protocol for the tiny cohort, as wide as one can be."""
    given = content(
        cohorts=3, decision=DECISION, settings={"image_size": [16, 16], "max_epochs": 3, "steps": 3}, **changed
    )
    given["bundle"] = {"name": BundleInfo.read(BUNDLE).name, "version": "0.1.0", "weights": weights}
    given["qualified_for"] |= {"patients": {"min": 1, "max": 99}, "share": {"min": 0.1, "max": 0.9}}
    given["qualified_for"]["classes"] = list(CLASSES)
    given["rehearsal"] |= {
        "least_moved": 1e-6,
        "ranges": ranges(dict.fromkeys(MOVES, (-1.0, 1.0)), CLASSES),
    }
    Protocol.from_dict(given, source="p").write(path)
    return path


def settings(folder, out, protocol, **more):
    return {
        "index_dir": str(folder / "index"),
        "cohort_spec": str(folder / "spec.yaml"),
        "checkpoint": str(folder / "model.pt"),
        "output_dir": str(out),
        "protocol": str(protocol),
        **more,
    }


def test_a_run_takes_method_settings_budget_and_decision_from_the_protocol(trained, tmp_path):
    path = write(tmp_path / "protocol.yaml", digest_of(trained), budget=0.3)
    with pytest.raises(Exception, match="inconclusive: the rehearsed protocol does not qualify it \\(3 of 3"):
        judged(**settings(trained, tmp_path / "out", path))
    evidence = tmp_path / "out" / "evidence"
    config = json.loads((evidence / "run.json").read_text(encoding="utf-8"))["config"]
    assert config["method"] == {"name": "reset", "depth": "last_block"}
    assert (config["budget"], config["max_epochs"], config["stop"]) == (0.3, 3, {})
    metrics = json.loads((evidence / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["basis"], metrics["decision"]["protocol"]["cohort"]["reason"]) == ("protocol", "device_deprecation")
    assert {need["what"] for need in metrics["needs"]} >= {"cohorts", "reference"}
    assert len(metrics["decision"]["protocol"]["ranges"]) == 16
    card = (evidence / "model_card_diff.html").read_text(encoding="utf-8")
    assert "How far the forgotten images moved, beside the rehearsal" in card
    assert "the original on remain" in card


@pytest.mark.parametrize(
    ("weights", "changed", "message"),
    [
        ("other", {}, "it was rehearsed with .* this run revises .* Rehearse with this bundle and these weights"),
        ("own", {"accept_bound": 3}, "accept_bound: expected a share"),
        ("own", {"protocol": None, "accept_bound": 0.5, "decision": DECISION}, "Give --protocol FILE"),
    ],
)
def test_what_does_not_fit_is_refused_and_writes_nothing(trained, tmp_path, weights, changed, message):
    path = write(tmp_path / "protocol.yaml", digest_of(trained) if weights == "own" else f"sha256:{'0' * 64}")
    with pytest.raises(ConfigError, match=message):
        judged(**{**settings(trained, tmp_path / "out", path), **changed})
    assert not (tmp_path / "out").exists()


def test_a_command_line_that_contradicts_it_ends_with_2(trained, tmp_path):
    path = write(tmp_path / "protocol.yaml", digest_of(trained))
    words = [f"--{name}={value}" for name, value in settings(trained, tmp_path / "out", path, budget=0.5).items()]
    config = str(BUNDLE / "configs" / "unlearn.yaml")
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "monai.bundle", "run", "unlearn", "--config_file", config, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert found.returncode == 2, found.stderr
    assert found.stderr.splitlines()[-1].startswith("Error: --budget: a run by a protocol revises and judges as it was")
    assert not (tmp_path / "out").exists()


SAID = {
    "method": {"name": "psg", "noise": 0.1},
    "budget": 0.1,
    "decision": {"healthy_classes": ["up"]},
    "stop": {},
    "image_size": [16, 16],
    "train::x": 1,
}


@pytest.mark.parametrize(
    "override",
    [
        {"index_dir": "a", "output_dir": "b", "subsets::memory": "1 GB", "seed": 3, "reference": "retrain"},
        {"budget": 0.1, "method::noise": 0.1, "method#name": "psg", "image_size": "[16, 16]", "train::x": 1},
        {"method": "{name: psg, noise: 0.1}", "decision::healthy_classes": ["up"], "stop": "{}"},
        {"decision::healthy_classes::0": "up"},
    ],
)
def test_a_command_line_may_say_what_is_given_anew_or_what_the_protocol_says(override):
    refuse_contradictions(override, SAID)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"budget": 0.2}, r"--budget: .* the protocol sets 0\.1\. Leave --budget out"),
        ({"method": "reset"}, "--method: "),
        ({"method::epsilon": 1}, "--method::epsilon: .* the protocol does not have it"),
        ({"learning_rate": 0.1}, "--learning_rate: .* does not have it"),
        ({"decision::min_patients": 2}, "--decision::min_patients"),
        ({"decision#healthy_classes": []}, "--decision#healthy_classes"),
        ({"stop": "{seconds: 3}"}, "--stop"),
        ({"network": "$x"}, "--network"),
        ({"image_size::7": 3}, "--image_size::7"),
        ({"image_size::²": 3}, "--image_size::²"),
        ({"subsets::transform": "$x"}, "--subsets::transform"),
        ({"subsets": "$x"}, "--subsets"),
    ],
)
def test_a_contradiction_is_named(override, message):
    with pytest.raises(ConfigError, match=message):
        refuse_contradictions(override, SAID)


def applied(path, *, config=None, decision=DECISION, method=None):
    base = BundleInfo.read(BUNDLE)
    return applied_protocol(
        path,
        accept_bound=None,
        cohort=COHORT,
        bundle=base,
        weights=f"sha256:{'0' * 64}",
        decision=Decision.from_config(decision, class_names=CLASSES),
        method=method or Reset(depth="last_block"),
        config=config or {},
    )


def test_a_run_that_does_not_follow_it_is_refused(tmp_path):
    path = write(tmp_path / "protocol.yaml", f"sha256:{'0' * 64}")
    followed = dict(settings_of(Protocol.read(path)))
    assert applied(path).cohort == COHORT
    assert applied(path, config=followed).protocol.budget == 0.1
    for changed, name in [
        ({"decision": {"healthy_classes": ["up"]}}, "decision"),
        ({"method": Reset(depth="head")}, "method::depth"),
        ({"config": {**followed, "budget": 0.2}}, "budget"),
        ({"config": {**followed, "stop": None}}, "stop"),
        ({"config": {"method": "reset"}}, "budget"),
    ]:
        with pytest.raises(ConfigError, match=f"does not follow it in '{name}'. Put .*follow_protocol"):
            applied(path, **changed)


@pytest.mark.parametrize(
    ("declared", "ran", "name"),
    [
        ({"name": "reset"}, Reset(depth="head"), "method::depth"),
        ({"name": "psg"}, PSG(epsilon=0.2), "method::epsilon"),
        ({"name": "psg", "noise": 0.1}, PSG(noise=0.1, labels="hard"), "method::labels"),
        ({"name": "psg"}, PSG(search_images=8), "method"),
        ({"name": "psg"}, PSG(remain_weight=2), "method::remain_weight"),
    ],
)
def test_a_setting_of_the_method_that_is_left_out_is_its_default(tmp_path, declared, ran, name):
    path = write(tmp_path / "protocol.yaml", f"sha256:{'0' * 64}", method=declared)
    with pytest.raises(ConfigError, match=f"does not follow it in '{name}'"):
        applied(path, method=ran)


def test_a_method_built_alike_follows_it(tmp_path):
    path = write(tmp_path / "protocol.yaml", f"sha256:{'0' * 64}", method={"name": "psg", "epsilon": 0.2})
    assert applied(path, method=PSG(epsilon=0.2)).protocol.method["name"] == "psg"


@pytest.mark.parametrize("name", sorted(registered()))
def test_every_method_follows_itself(tmp_path, name):
    info, _ = registered()[name]
    start = {key.removeprefix("method::"): values[0] for key, values in info.search_space.items() if "method::" in key}
    declared = {"name": name, **({"noise": 0.1} if name == "psg_published" else {}), **start}
    path = write(tmp_path / "protocol.yaml", f"sha256:{'0' * 64}", method=declared)
    assert applied(path, method=method_of(declared)).protocol.method == declared


def test_a_misspelt_setting_of_the_method_is_refused(tmp_path):
    path = write(tmp_path / "protocol.yaml", f"sha256:{'0' * 64}", method={"name": "reset", "depht": "head"})
    with pytest.raises(ConfigError, match="method: reset does not take these settings .*depht"):
        applied(path, method=Reset(depth="last_block"))


def test_a_run_is_held_to_the_whole_config_that_was_rehearsed(tmp_path):
    path = write(tmp_path / "protocol.yaml", f"sha256:{'0' * 64}")
    followed = {
        **dict(settings_of(Protocol.read(path))),
        "learning_rate": 0.1,
        "train": {"optimizer": "Adam"},
        RECIPE: {"max_epochs": 1},
    }
    held = held_settings(followed, said=["image_size", "max_epochs", "steps"])
    path = write(path, f"sha256:{'0' * 64}", config=held)
    assert applied(path, config=followed).protocol.config == held
    for changed in ({"learning_rate": 0.2}, {"train": {"optimizer": "SGD"}}, {"phases": []}, {RECIPE: None}):
        with pytest.raises(ConfigError, match=f"does not follow it in '{next(iter(changed))}'"):
            applied(path, config={**followed, **changed})


def test_a_run_in_python_says_not_what_it_was_built_from(trained, tmp_path):
    path = write(tmp_path / "protocol.yaml", digest_of(trained))
    with pytest.raises(ConfigError, match="protocol: a run that was built in Python"):
        judged(**settings(trained, tmp_path / "out", path, **{"revision::config": {}}))
    assert not (tmp_path / "out").exists()


def test_without_one_nothing_is_applied():
    assert applied(None) is None
