from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import killed_run
import numpy as np
import pytest
import torch
from bundle_run import BUNDLE, JUDGED, WIDE, run, unlearn
from monai.bundle import ConfigParser, ConfigWorkflow
from nightly import nightly
from tiny import SPEC, tiny_index, tiny_spec
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.engine.host import ours
from monai_unlearn.errors import ConfigError, NotAccepted
from monai_unlearn.experiments import compose as module
from monai_unlearn.experiments.compose import compose
from monai_unlearn.experiments.composition_plan import CompositionPlan
from monai_unlearn.experiments.run_configs import run_configs
from monai_unlearn.experiments.unlearn import Revised
from monai_unlearn.release import load_weights
from monai_unlearn.release.verify import verify
from monai_unlearn.result import Result

SPLIT = {"split": {"seed": 0, "test_fraction": 0.2, "validation_fraction": 0.2}}


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A bundle trained on the tiny cohort, and two revisions of it, beside the same retrained networks."""
    folder = tmp_path_factory.mktemp("compose")
    original = folder / "another place" / BUNDLE.name
    shutil.copytree(BUNDLE, original)
    tiny_index(folder)
    data = {"index_dir": str(folder / "index"), "cohort_spec": str(tiny_spec(folder))}
    run("train", "train.yaml", bundle=original, index_dir=data["index_dir"], max_epochs=2, **SPLIT)
    steps = {"steps": 3, "phases": None, "audits": [], **JUDGED, **SPLIT}
    retrained = {"reference": "retrain", "reference_seeds": 2}
    unlearn(bundle=original, **data, **steps, **retrained, output_dir=str(folder / "a"), method="finetune")
    kept = [str(folder / "a" / "evidence" / "reference" / f"seed-{seed}" / "model.pt") for seed in (1, 2)]
    other = {"method": "neggrad_plus", "learning_rate": 0.01, "reference": kept}
    unlearn(bundle=original, **data, **steps, output_dir=str(folder / "b"), **other)
    return folder, original


def in_process(settings):
    """Return what runs a composition in this process, and notes what it is told."""

    def played(bundle, out, _settings, *, overlays, quiet):
        settings.append(json.loads(overlays[0].read_text(encoding="utf-8")))
        workflow = ConfigWorkflow(
            config_file=[str(path) for path in (*run_configs(bundle), *overlays)],
            meta_file=str(bundle / "configs" / "metadata.json"),
            run_id="unlearn",
            logging_file=False,
            workflow_type="train",
            output_dir=str(out),
        )
        with mock.patch.object(sys, "excepthook"):
            try:
                workflow.initialize()
                workflow.run()
            except Exception as error:
                if not isinstance(ours(error), NotAccepted):
                    raise ours(error) or error from None
        return Revised(exit_code=int(Result.read(out).exit_code), result=Result.read(out))

    return played


def composed(folder, out, **options):
    settings = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "unlearn", in_process(settings))
        done = compose(CompositionPlan(**{"a": folder / "a", "b": folder / "b", **options}), folder / out)
    return done, settings[0]


@pytest.fixture(scope="module")
def linear(walked):
    folder, _ = walked
    return folder, *composed(folder, "linear", by="linear")


def weights_file(bundle):
    return bundle / "models" / "model.pt"


def weights(bundle):
    state = torch.load(weights_file(bundle), map_location="cpu", weights_only=True)
    return {name: value.double().numpy() for name, value in state.items()}


def document(folder, name):
    return json.loads((folder / "evidence" / name).read_text(encoding="utf-8"))


def test_the_run_is_told_what_both_runs_were_judged_by(linear, walked):
    folder, _, settings = linear
    _, original = walked
    assert settings["method"] == {"name": "composition", "by": "linear"}
    assert settings["index_dir"] == str(folder / "index")
    assert settings["checkpoint"] == str(original / "models" / "model.pt")
    assert (settings["class_names"], settings["image_size"]) == (["up", "down"], [16, 16])
    assert settings["decision"] == JUDGED["decision"]
    assert settings["split"] == SPLIT["split"]
    assert [file.split("/")[-2] for file in settings["reference"]] == ["seed-1", "seed-2"]
    assert not {"steps", "phases", "learning_rate", "output_dir", "train", "preprocessing"} & settings.keys()


def test_weights_are_between_both_by_what_was_best_on_validation_images(linear):
    folder, done, _ = linear
    record = document(folder / "linear", "run.json")["updates"]["method"]
    best = min(record["tried"], key=lambda one: one["objective"])
    assert record["weight"] == best["weight"]
    assert record["criterion"].startswith("distance to the retrained networks on forget validation images")
    a, b = (weights(folder / name / "rejected_bundle") for name in "ab")
    for name, values in weights(done.result.bundle).items():
        if "running" not in name and "num_batches" not in name:
            expected = a[name] + best["weight"] * (b[name] - a[name])
            np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


def test_the_result_is_a_bundle_with_verdict_card_and_lineage(linear):
    folder, done, _ = linear
    bundle = done.result.bundle
    assert (done.exit_code, done.result.verdict) == (3, "target_undetermined")
    assert {fault.what for fault in verify(bundle).faults} == {"there is no signature."}
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text(encoding="utf-8"))
    # Both parents are 0.2.0.
    assert metadata["version"] == "0.3.0"
    parents = [document(folder / name, "run.json")["digests"]["revised_weights"] for name in "ab"]
    named = [{"version": "0.2.0", "weights_digest": digest} for digest in parents]
    card = document(folder / "linear", "model_card_diff.json")
    assert card["modification"]["composed_of"] == named
    assert card["base"]["version"] == "0.1.0"
    record = json.loads((bundle / "models" / "training.json").read_text(encoding="utf-8"))
    assert record["composed_of"] == named
    lineage = json.loads((bundle / "lineage.json").read_text(encoding="utf-8"))
    assert [one["cohort"] for one in lineage["revisions"]] == ["retire-old"]
    page = (folder / "linear" / "evidence" / "model_card_diff.html").read_text(encoding="utf-8")
    text = (bundle / "docs" / "model_card_diff.md").read_text(encoding="utf-8")
    for digest in parents:
        assert digest in page
        assert digest in text
    assert "A composition of two networks, A and B: the weights are" in text


def test_no_path_of_this_machine_travels(linear):
    folder, done, _ = linear
    for path in done.result.bundle.rglob("*"):
        if path.is_file():
            assert str(folder).encode() not in path.read_bytes(), path.name


def test_it_costs_what_both_revisions_cost_and_what_chose_the_coefficient(linear):
    folder, _, _ = linear
    cost = document(folder / "linear", "metrics.json")["cost"]
    before = [document(folder / name, "metrics.json")["cost"]["this_run"] for name in "ab"]
    revisions = sum(one["gradient_evaluations"] for one in before)
    assert cost["parents"]["gradient_evaluations"] == revisions
    passes = sum(cost["forward_passes"].values())
    assert cost["forward_passes"]["search"] > 0
    assert cost["this_run"]["gradient_evaluations"] == round(revisions + passes / 3)
    assert cost["this_run"]["seconds"] >= sum(one["seconds"] for one in before)
    assert cost["share_of_retraining_gradients"] == pytest.approx(
        cost["this_run"]["gradient_evaluations"] / cost["gradient_evaluations"]["retraining"]
    )


def test_a_revision_is_composed_with_its_original(walked):
    """Of the original, nothing is retrained and nothing was spent."""
    folder, original = walked
    done, settings = composed(folder, "spliced", a=original, b=folder / "b" / "rejected_bundle")
    assert settings["parents"][0]["gradient_evaluations"] == 0
    found, a, b = (weights(root) for root in (done.result.bundle, original, folder / "b" / "rejected_bundle"))
    for name, values in found.items():
        if "running" not in name and "num_batches" not in name:
            np.testing.assert_array_equal(values, (b if name.startswith("fc.") else a)[name])


def test_an_ensemble_is_a_bundle_whose_config_loads_both(walked):
    folder, _ = walked
    done, _ = composed(folder, "ensemble", by="ensemble", weight=0.25)
    bundle = done.result.bundle
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.yaml"))
    parser.read_meta(str(bundle / "configs" / "metadata.json"))
    parser["bundle_root"] = str(bundle)
    network = load_weights(parser.get_parsed_content("network_def"), bundle / "models" / "model.pt").eval()
    state = torch.load(bundle / "models" / "model.pt", map_location="cpu", weights_only=True)
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    both = []
    for number, name in enumerate("ab"):
        own = weights(folder / name / "rejected_bundle")
        for key, values in own.items():
            if "running" not in key and "num_batches" not in key:
                np.testing.assert_array_equal(state[f"networks.{number}.{key}"].double().numpy(), values)
        both.append(network.networks[number](images))
    torch.testing.assert_close(network(images), 0.75 * both[0] + 0.25 * both[1])
    card = document(folder / "ensemble", "model_card_diff.json")
    assert any("an ensemble of two networks" in one for one in card["warnings"])
    assert {fault.what for fault in verify(bundle).faults} == {"there is no signature."}


def test_without_retrained_networks_the_coefficient_must_be_given(walked, tmp_path):
    folder, _ = walked
    for name in "ab":
        shutil.copytree(folder / name, tmp_path / name)
        path = tmp_path / name / "evidence" / "run.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        record["config"]["reference"] = None
        path.write_text(json.dumps(record), encoding="utf-8")
        shutil.rmtree(tmp_path / name / "evidence" / "reference", ignore_errors=True)
    with pytest.raises(ConfigError, match="weight: no retrained network is there to choose the coefficient by"):
        composed(tmp_path, "out", by="task_vectors")
    assert not (tmp_path / "out").exists()


def test_for_erasure_the_coefficient_is_chosen_without_them(walked, tmp_path):
    folder, _ = walked
    for name in "ab":
        shutil.copytree(folder / name, tmp_path / name)
        path = tmp_path / name / "evidence" / "run.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        record["config"] |= {"reference": None, **WIDE}
        path.write_text(json.dumps(record), encoding="utf-8")
        shutil.rmtree(tmp_path / name / "evidence" / "reference", ignore_errors=True)
    done, _ = composed(tmp_path, "out", by="task_vectors")
    record = document(tmp_path / "out", "run.json")["updates"]["method"]
    assert record["criterion"].startswith("probability of the true class on forget validation images")
    original, a, b = (weights(root) for root in (walked[1], *(folder / name / "rejected_bundle" for name in "ab")))
    for name, values in weights(done.result.bundle).items():
        if "running" not in name and "num_batches" not in name:
            moved = (a[name] - original[name]) + (b[name] - original[name])
            np.testing.assert_allclose(values, original[name] + record["weight"] * moved, rtol=1e-4, atol=1e-6)


@pytest.fixture
def copies(walked, tmp_path):
    """Copies of both runs that a test may change, and a plan of their composition."""
    folder, _ = walked
    for name in "ab":
        shutil.copytree(folder / name, tmp_path / name)

    def changed(name, place, value):
        path = tmp_path / name / "evidence" / "run.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        inner = record
        *outer, last = place.split("::")
        for key in outer:
            inner = inner[key]
        inner[last] = value
        path.write_text(json.dumps(record), encoding="utf-8")

    return changed, CompositionPlan(a=tmp_path / "a", b=tmp_path / "b", by="linear", weight=0.5)


@pytest.fixture(autouse=True)
def no_process(monkeypatch):
    """What is refused starts nothing."""
    started = []
    monkeypatch.setattr(module, "unlearn", lambda *words, **options: started.append((words, options)))
    return started


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("digests::index", "sha256:0", "the index of the images"),
        ("digests::spec", "sha256:0", "the cohort spec"),
        ("digests::base_weights", "sha256:0", "the original's weights"),
        ("config::class_names", ["down", "up"], "class_names"),
        ("config::image_size", [32, 32], "image_size"),
        ("config::network_def", {"_target_": "DenseNet121"}, "network_def"),
    ],
)
def test_what_two_revisions_do_not_share_is_named(copies, tmp_path, no_process, place, value, words):
    changed, plan = copies
    changed("b", place, value)
    with pytest.raises(ConfigError, match=f"forgot the same cohort, but they differ in {words}"):
        compose(plan, tmp_path / "out")
    assert no_process == []


def test_data_that_changed_since_are_refused(copies, tmp_path, no_process):
    _, plan = copies
    other = tmp_path / "other.yaml"
    other.write_text(SPEC.replace("Old", "New"), encoding="utf-8")
    with pytest.raises(ConfigError, match="the cohort spec .*other.yaml is not what .* was revised with"):
        compose(replace(plan, spec=other), tmp_path / "out")
    assert no_process == []


@pytest.mark.parametrize("name", ["index", "spec"])
def test_what_is_given_must_be_there(copies, tmp_path, no_process, name):
    _, plan = copies
    with pytest.raises(ConfigError, match=f"--{name} nowhere: it is not there. Give the one that the runs used"):
        compose(replace(plan, **{name: Path("nowhere")}), tmp_path / "out")
    assert no_process == []


def test_an_original_that_moved_must_be_given(copies, walked, tmp_path, no_process):
    changed, plan = copies
    for name in "ab":
        changed(name, "places::bundle_root", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match="the original bundle, .* is not where their runs say.*--original BUNDLE"):
        compose(plan, tmp_path / "out")
    with pytest.raises(ConfigError, match="--original gone: expected the folder of a bundle"):
        compose(replace(plan, original=Path("gone")), tmp_path / "out")
    compose(replace(plan, original=walked[1]), tmp_path / "out")
    assert no_process[0][0][0] == walked[1].resolve()


def test_another_original_is_refused(copies, walked, tmp_path, no_process):
    _, plan = copies
    other = tmp_path / "other"
    shutil.copytree(walked[1], other)
    shutil.copyfile(weights_file(tmp_path / "a" / "rejected_bundle"), weights_file(other))
    with pytest.raises(ConfigError, match="expected the weights that .*a/rejected_bundle was revised from"):
        compose(replace(plan, original=other), tmp_path / "out")
    assert no_process == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"by": "average"}, "by: expected"),
        ({"weight": 1.5}, "weight: expected a coefficient in"),
        ({"by": "splice"}, "weight: a splice has no coefficient"),
        ({"by": "splice", "weight": None, "classifier": "all"}, "classifier: all is the whole network"),
    ],
)
def test_what_cannot_be_composed_is_refused_before_anything_starts(copies, tmp_path, no_process, given, words):
    _, plan = copies
    with pytest.raises(ConfigError, match=words):
        compose(replace(plan, **given), tmp_path / "out")
    assert no_process == []
    assert not (tmp_path / "out").exists()


def test_retrained_networks_may_be_given_or_made(copies, tmp_path, no_process, monkeypatch):
    _, plan = copies
    monkeypatch.setattr(module, "write_json", lambda _path, settings: no_process.append(settings["reference"]))
    compose(replace(plan, references=("retrain",)), tmp_path / "out")
    files = [str(tmp_path / name) for name in ("x.pt", "y.pt")]
    Path(files[0]).touch()
    with pytest.raises(ConfigError, match="--reference .*y.pt: no such file. Give weights trained without the cohort"):
        compose(replace(plan, references=files), tmp_path / "out")
    Path(files[1]).touch()
    compose(replace(plan, references=files), tmp_path / "out")
    assert no_process[::2] == ["retrain", files]
    with pytest.raises(ConfigError, match="--reference: expected retrain alone, or files, got both"):
        compose(replace(plan, references=("retrain", "x.pt")), tmp_path / "out")


@pytest.mark.parametrize("section", ["places", "digests", "config"])
def test_a_record_that_was_changed_is_no_traceback(copies, tmp_path, no_process, section):
    changed, plan = copies
    for name in "ab":
        changed(name, section, [])
    with pytest.raises(ConfigError, match="expected an object with the objects config, digests, places"):
        compose(plan, tmp_path / "out")
    assert no_process == []


def test_results_do_not_go_into_what_is_composed(copies, tmp_path, no_process):
    _, plan = copies
    with pytest.raises(ConfigError, match="it lies within .*a, which is to be composed"):
        compose(plan, tmp_path / "a" / "evidence" / "out")
    assert no_process == []


def test_nothing_in_evidence_is_run(copies, tmp_path, no_process, monkeypatch):
    """An expression in a run's record is data: it is not laid over the config of the original."""
    changed, plan = copies
    for value in ("$__import__('os').abort()", {"_target_": "os.abort"}, ["@device"]):
        for name in "ab":
            changed(name, "config::audits", value)
        monkeypatch.setattr(module, "write_json", lambda _path, settings: no_process.append("audits" in settings))
        compose(plan, tmp_path / "out")
    assert no_process[::2] == [False, False, False]


def test_two_originals_are_no_composition(walked, tmp_path):
    _, original = walked
    with pytest.raises(ConfigError, match="neither is a revision with its evidence"):
        compose(CompositionPlan(a=original, b=original), tmp_path / "out")


@nightly
@pytest.mark.parametrize(
    "words", [["--by", "splice"], ["--by", "task_vectors"], ["--by", "linear", "--weight", "0.5"], ["--by", "ensemble"]]
)
def test_the_command_composes_and_its_bundle_predicts(walked, monkeypatch, words):
    monkeypatch.undo()
    folder, _ = walked
    out = folder / "-".join(words).strip("-")
    command = ["compose", "--a", str(folder / "a"), "--b", str(folder / "b"), "--out", str(out), "--json", *words]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 3, result.stderr
    assert json.loads(result.stdout)["verdict"] == "target_undetermined"
    files = sorted(map(str, (folder / "images").glob("*.png")))
    run("infer", "inference.yaml", bundle=out / "rejected_bundle", files=files, output_dir=str(out / "predicted"))


@nightly
@pytest.mark.parametrize("by", ["linear", "ensemble"])
def test_killed_or_in_two_processes_the_weights_are_the_same(linear, tmp_path, by):
    _, _, settings = linear
    settings = {**settings, "method": {"name": "composition", "by": by}, "checkpoint_seconds": 0, "budget": 1.0}
    runs = {name: {**settings, "output_dir": str(tmp_path / name)} for name in ("whole", "killed", "two")}
    assert killed_run.unlearn(runs["killed"], die=("end", 1)) == [-9], killed_run.log_of(runs["killed"])
    assert killed_run.unlearn(runs["two"], processes=2) == [0, 0], killed_run.log_of(runs["two"])
    for name in ("whole", "killed"):
        assert killed_run.unlearn(runs[name]) == [0], killed_run.log_of(runs[name])
    assert len({killed_run.digest(tmp_path / name) for name in runs}) == 1
