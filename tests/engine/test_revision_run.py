from __future__ import annotations

import json
import math
import shutil
from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from bundle_run import WIDE, WIDE_MATCH, judged, run
from release_example import write_keys
from run_files import read, revised_digest
from tiny import tiny_index, tiny_spec, write_images
from tiny_trainer import items
from torch import nn

from monai_unlearn.engine import NotAccepted, distributed, revision_run
from monai_unlearn.engine.revision_run import RevisionRun
from monai_unlearn.errors import ConfigError, ExitCode, TrainingError
from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.evaluation.audits import Audited, chosen, measure_audits
from monai_unlearn.evaluation.decision import decide_again
from monai_unlearn.release.ledger import Ledger
from monai_unlearn.vocabulary.run_folder import RunFolder


def test_writes_what_the_contract_names(revised):
    out, _ = revised
    assert {path.name for path in out.iterdir()} == {"rejected_bundle", "evidence"}
    assert {path.name for path in (out / "evidence").iterdir()} == {
        "README.md",
        "cohort_manifest.json",
        "cohort_members.parquet",
        "lineage_members.parquet",
        "lineage.key",
        "metrics.json",
        "predictions.parquet",
        "run.json",
        "model_card_diff.json",
        "model_card_diff.md",
        "model_card_diff.html",
        "model_card_diff.xml",
        "model_card_diff.yaml",
        "model_card_diff.txt",
        "reference",
    }
    assert sorted(path.name for path in (out / "evidence" / "reference").iterdir()) == ["seed-1", "seed-2"]
    assert "stays with the images" in (out / "evidence" / "README.md").read_text(encoding="utf-8")
    assert "This folder travels" in (out / "rejected_bundle" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_audits_are_measured_shown_and_paid_for(tiny, tmp_path):
    out = tmp_path / "out"
    tiny.unlearn(out, reference="retrain", audits=["recall_gap", "membership"], audit_share=1, recalibrate=False)
    evidence = read(out, "metrics.json")
    assert list(evidence["audits"]) == ["membership", "recall_gap"]
    assert "revised_as_trained" not in evidence["models"]
    assert {name: one["status"] for name, one in evidence["audits"].items()} == dict.fromkeys(
        ("membership", "recall_gap"), "measured"
    )
    spent = evidence["cost"]["audits"]
    assert set(spent["by_audit"]) == {"membership", "recall_gap"}
    assert spent["allowed"] is None
    diff = read(out, "model_card_diff.json")
    assert diff["audits"] == evidence["audits"]
    card = (out / "evidence" / "model_card_diff.html").read_text(encoding="utf-8")
    assert '<th scope="row">membership</th>' in card
    assert "<td>auc loss</td>" in card
    again = audited_again(RunFolder(out))
    assert again == evidence["audits"]


def audited_again(run):
    """The audits computed from the table of predictions alone."""
    subject = Audited(table=PredictionTable.read(run.predictions))
    return measure_audits(chosen(["membership", "recall_gap"]), subject, allowed=9.0, seconds_per_pass=1.0)[0]


def test_the_reference_is_trained_on_the_remain_part_alone(revised):
    for seed in (1, 2):
        record = read(revised[0] / "evidence" / "reference" / f"seed-{seed}", "training.json")
        assert (record["parts"], record["seed"]) == (["remain"], seed)
        assert record["images"] == read(revised[0], "metrics.json")["counts"]["remain"]["train"]


def test_a_site_that_names_its_ledger_has_every_run_in_it(tiny, tmp_path, monkeypatch):
    private, _ = write_keys(tmp_path)
    monkeypatch.setenv("MONAI_UNLEARN_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("MONAI_UNLEARN_KEY", str(private))
    tiny.unlearn(tmp_path / "out")
    (line,) = Ledger(tmp_path / "store").lines()
    assert (line.event.event, line.event.verdict) == ("unlearn", "not_known")
    assert line.event.digests["weights"] == revised_digest(tmp_path / "out")
    monkeypatch.delenv("MONAI_UNLEARN_KEY")
    with pytest.raises(ConfigError, match="MONAI_UNLEARN_STORE and MONAI_UNLEARN_KEY: expected both"):
        tiny.judged(tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_without_reference_nothing_is_promoted(tiny, tmp_path):
    with pytest.raises(NotAccepted, match="not_known: there is nothing to compare with") as caught:
        tiny.judged(tmp_path / "out")
    assert caught.value.exit_code == ExitCode.NOT_ACCEPTED == 3
    first, *needs, last = str(caught.value).splitlines()
    assert first.startswith("not_known: ")
    assert any("--reference retrain --reference_seeds 3" in need for need in needs)
    assert last == f"The evidence is in {tmp_path / 'out' / 'evidence'}."
    evidence = read(tmp_path / "out", "metrics.json")
    assert (evidence["verdict"], evidence["basis"]) == ("not_known", "none")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"rejected_bundle", "evidence"}
    changelog = read(tmp_path / "out" / "rejected_bundle" / "configs", "metadata.json")["changelog"]
    assert changelog["0.2.0"].startswith("NOT PROMOTED.")
    assert changelog["0.2.0"].endswith("Verdict: not_known.")


def test_what_was_erased_is_promoted_without_a_reference(tiny, tmp_path, capsys):
    tiny.judged(tmp_path / "out", max_epochs=5, **WIDE)
    evidence = read(tmp_path / "out", "metrics.json")
    assert (evidence["verdict"], evidence["decision"]["declared"]["objective"]) == ("erased", "erase")
    assert (tmp_path / "out" / "revised_bundle").is_dir()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == evidence["decision"]["line"]
    assert last.startswith("erased: ")
    assert "wider than the default" in last


def test_what_is_still_recognised_is_not_erased(tiny, tmp_path):
    config = {**WIDE["decision"], "limit": 0.01}
    with pytest.raises(NotAccepted, match="not_erased: "):
        tiny.judged(tmp_path / "out", learning_rate=1e-9, decision=config)
    assert (tmp_path / "out" / "rejected_bundle").is_dir()


def test_a_no_op_is_not_promoted_whatever_the_margins(references):
    evidence = read(references[0], "metrics.json")
    assert (evidence["verdict"], evidence["basis"], evidence["decision"]["references"]) == (
        "inconclusive",
        "reference",
        3,
    )
    assert evidence["why"][0].startswith("The revised network predicts the forget part as the original does")
    assert (references[0] / "rejected_bundle").is_dir()


def test_a_network_within_the_margins_of_three_retrained_ones_is_promoted(tiny, tmp_path):
    """Patients whose labels were exchanged: a network from scratch no longer reads them so, as retrained ones do."""
    wrong = [f"patient-{number:03}" for number in range(24)]
    text = f"schema_version: 1\nname: gone\nreason: policy_change\nforget: patient in [{', '.join(wrong)}]\n"
    checkpoint = tmp_path / "models" / "model.pt"
    frame = write_images(tmp_path / "pictures", patients=60)
    other = frame["diagnosis"].map({"up": "down", "down": "up"})
    frame["diagnosis"] = frame["diagnosis"].mask(frame["patient"].isin(wrong), other)
    tiny_index(tmp_path, frame=frame)
    index = str(tmp_path / "index")
    run("train", "train.yaml", index_dir=index, checkpoint=str(checkpoint), max_epochs=30)
    spec = str(tiny_spec(tmp_path, text))
    settings = {"index_dir": index, "cohort_spec": spec, "method": "scratch", "max_epochs": 12, "decision": WIDE_MATCH}
    judged(**{**tiny.settings(tmp_path / "out"), **settings, "checkpoint": str(checkpoint), "reference": "retrain"})
    evidence = read(tmp_path / "out", "metrics.json")
    assert (evidence["verdict"], evidence["basis"]) == ("equivalent", "reference")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"revised_bundle", "evidence"}
    # Margins and patients beyond the default stand in the line.
    assert "99 points, wider than the default 10" in evidence["decision"]["line"]


def test_the_decision_follows_from_the_predictions_alone(references):
    run = RunFolder(references[0])
    metrics = read(references[0], "metrics.json")
    again = decide_again(run).to_metrics()
    assert json.dumps(again) == json.dumps({key: metrics[key] for key in again})


def test_a_given_reference_is_loaded(tiny, revised, tmp_path):
    reference = revised[0] / "evidence" / "reference" / "seed-1" / "model.pt"
    tiny.unlearn(tmp_path / "out", reference=str(reference))
    evidence = read(tmp_path / "out", "metrics.json")
    assert evidence["models"]["reference"] == read(revised[0], "metrics.json")["models"]["reference"]
    assert evidence["cost"]["gradient_evaluations"]["retraining"] > 0
    assert evidence["references"] == [{"source": "model.pt", "seed": 1}]
    assert not (tmp_path / "out" / "evidence" / "reference").exists()


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"parts": ["forget", "remain", "undetermined"]}, "a reference is trained on remain alone"),
        ({"parts": ["remain"], "images_digest": "sha256:other"}, "trained on other images than the remain part"),
    ],
)
def test_weights_of_another_training_are_refused_as_a_reference(tiny, revised, tmp_path, record, message):
    (tmp_path / "weights").mkdir()
    trained = revised[0] / "evidence" / "reference" / "seed-1" / "model.pt"
    shutil.copy(trained, tmp_path / "weights" / "model.pt")
    record = {"weights_digest": json.loads(trained.with_name("training.json").read_text())["weights_digest"], **record}
    (tmp_path / "weights" / "training.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=message):
        tiny.judged(tmp_path / "out", reference=str(tmp_path / "weights" / "model.pt"))
    assert not (tmp_path / "out").exists()


def test_the_original_is_not_its_own_reference(tiny, tmp_path):
    with pytest.raises(ConfigError, match="holds the original weights themselves"):
        tiny.judged(tmp_path / "out", reference=str(tiny.checkpoint))


def finished(network, *, recalibrate=True, calibrating=None):
    """Finish a network after its last step; return what that returns, and the seconds that it counted."""
    run = SimpleNamespace(
        settings=SimpleNamespace(network=network, recalibrate=recalibrate, device=torch.device("cpu"), seed=0),
        known=SimpleNamespace(remain=SimpleNamespace(images=items(70)), calibrating=calibrating),
    )
    run.known.settings = run.settings
    updates = SimpleNamespace(seconds={"updates": 1.0})
    return *RevisionRun._finished(run, updates, nn.Linear(4, 2)), updates.seconds["updates"]


def normalised():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


def test_the_last_step_is_followed_by_a_recalibration_in_place_which_counts_as_updating():
    network = normalised()
    before = network[2].running_mean.clone()
    as_trained, calibration, seconds = finished(network)
    assert torch.equal(as_trained[2].running_mean, before)
    assert not torch.equal(network[2].running_mean, before)
    assert calibration is None
    assert seconds > 1
    kept, _, _ = finished(network, recalibrate=False)
    assert torch.equal(kept[2].running_mean, network[2].running_mean)


def test_the_network_as_trained_is_given_the_same_calibration():
    calibrating = mock.Mock()
    network = normalised()
    as_trained, calibration, _ = finished(network, calibrating=calibrating)
    ((revised, _), options) = calibrating.calibrate.call_args
    assert revised is network
    assert options["also"] == [as_trained]
    assert calibration is calibrating.calibrate.return_value


def test_weights_that_are_not_finite_are_no_result():
    network = normalised()
    with torch.no_grad():
        network[1].weight[0, 0] = math.nan
    with pytest.raises(TrainingError):
        finished(network, recalibrate=False)


def test_a_process_that_shares_the_steps_evaluates_and_writes_nothing(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(distributed, "is_main_process", lambda: False)
    updates = mock.Mock()
    monkeypatch.setattr(revision_run, "updates_of", updates)
    assert RevisionRun(tiny.revision(tmp_path / "out")).run() == {}
    assert updates.call_args.args[2] == ()
    updates.return_value.run.assert_called_once_with()
    assert list(tmp_path.iterdir()) == []
