from __future__ import annotations

import functools
import json
import math
import re
import shutil
import sys
import textwrap
from unittest import mock

import jsonschema
import pytest
from bundle_run import BUNDLE, JUDGED, PLAIN, TINY, WIDE, WIDE_MATCH, judged, run, unlearn
from monai.bundle import ConfigParser, ConfigWorkflow
from release_example import write_keys
from run_files import read, revised_digest
from tiny import SPEC, tiny_index, tiny_spec, write_images
from typer.testing import CliRunner

from monai_unlearn.card import schema
from monai_unlearn.cli import app
from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.data import subset_datasets
from monai_unlearn.engine import NotAccepted, Revision
from monai_unlearn.errors import CohortError, ConfigError, ExitCode, InputError, TrainingError
from monai_unlearn.evaluation import PredictionTable
from monai_unlearn.evaluation.audits import Audited, chosen, measure_audits
from monai_unlearn.evaluation.confusion import confusion
from monai_unlearn.evaluation.decision import decide_again
from monai_unlearn.index import Index
from monai_unlearn.methods import PSG, PixelSpace
from monai_unlearn.release import load_weights, weights_digest
from monai_unlearn.release.ledger import Ledger
from monai_unlearn.release.sign import sign
from monai_unlearn.release.verify import Kind, verify
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


def test_every_model_is_measured_on_every_part_and_split(revised):
    models = read(revised[0], "metrics.json")["models"]
    controlled = {"original", "original_recalibrated", "revised", "revised_recalibrated", "revised_as_trained"}
    assert set(models) == {*controlled, "reference", "reference_2"}
    counts = {
        (name, part, split): subset["n"]
        for name, parts in models.items()
        for part, splits in parts.items()
        for split, subset in splits.items()
    }
    assert len(counts) == 42
    assert len({n for (_, part, _), n in counts.items() if part == "forget"}) <= 3
    assert sum(models["revised"]["forget"][split]["n"] for split in ("train", "validation", "test")) == 24


def test_the_network_as_trained_is_kept_beside_the_delivered_one(revised):
    """Same weights, other statistics: what recalibration changed can be seen."""
    table = PredictionTable.read(RunFolder(revised[0]).predictions)
    assert not (table.logits["revised_as_trained"] == table.logits["revised"]).all()


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


def test_an_unknown_audit_is_refused_before_the_run(tiny, tmp_path):
    with pytest.raises(ConfigError, match="audits: expected one of membership, .*Did you mean 'membership'"):
        tiny.judged(tmp_path / "out", audits="membershp")
    assert not (tmp_path / "out").exists()


def test_costs_are_counted_in_gradients(revised):
    out, workflow = revised
    cost = read(out, "metrics.json")["cost"]
    counts = workflow.parser.get_parsed_content("data").counts()
    forget, remain = counts["forget"]["train"], counts["remain"]["train"]
    # One search step on each forget image; two epochs of batches of 8 forget images and up to 32 remain images.
    search, updates = forget, 2 * math.ceil(forget / 8) * (8 + min(32, remain))
    # The width of the network; eight bisections and the label of each image; the statistics of all remain images.
    assert cost["forward_passes"] == {"search": 1 + 9 * forget, "steps": 0, "evaluations": 0, "recalibration": remain}
    passes = (1 + 9 * forget + remain) / 3
    unlearning = round(search + updates + passes)
    assert cost["gradient_evaluations"] == {
        "search": search,
        "updates": updates,
        "forward_passes": round(passes),
        "unlearning": unlearning,
        "retraining": 3 * remain,
    }
    assert cost["this_run"]["gradient_evaluations"] == unlearning
    assert cost["with_references"]["gradient_evaluations"] == unlearning + 2 * 3 * remain
    assert cost["share_of_retraining_gradients"] == pytest.approx(unlearning / (3 * remain))
    assert read(out, "run.json")["cost"] == cost


def test_the_cost_is_that_of_the_backward_passes(tiny, tmp_path, monkeypatch):
    """Hooks count the images of every pass that a gradient flows through, whatever method and trainer count."""
    passes = []
    prepare = PSG.prepare

    def count(_module, _inputs, logits):
        if logits.requires_grad:
            logits.register_hook(lambda gradient: passes.append(len(gradient)))

    def prepare_counted(self, context):
        context.network.register_forward_hook(count)
        prepare(self, context)

    monkeypatch.setattr(PSG, "prepare", prepare_counted)
    tiny.unlearn(tmp_path / "out", **{"method::search_precision": "float32"})
    found = read(tmp_path / "out", "metrics.json")["cost"]["gradient_evaluations"]
    assert 0 < found["search"] < found["search"] + found["updates"] == sum(passes)


def test_the_reference_is_trained_on_the_remain_part_alone(revised):
    for seed in (1, 2):
        record = read(revised[0] / "evidence" / "reference" / f"seed-{seed}", "training.json")
        assert (record["parts"], record["seed"]) == (["remain"], seed)
        assert record["images"] == read(revised[0], "metrics.json")["counts"]["remain"]["train"]


def test_the_card_difference_fits_its_schema(revised):
    diff = read(revised[0], "model_card_diff.json")
    jsonschema.validate(diff, schema())
    assert diff["modification"]["cohort"]["forget"] == "ManufacturerModelName == Old"
    assert diff["base"]["weights_digest"] != diff["revised"]["weights_digest"]


def test_the_run_is_recorded(revised):
    out, _ = revised
    record = read(out, "run.json")
    assert record["config"]["max_epochs"] == 2
    assert record["config"]["output_dir"] == str(out)
    assert record["config"]["method"]["_target_"] == "monai_unlearn.methods.PSG"
    assert record["method"] == {"name": "psg", "chosen_by": "user", "ground": "the user chose it"}
    assert record["digests"]["revised_weights"] == read(out, "model_card_diff.json")["revised"]["weights_digest"]
    assert set(record["versions"]) >= {"python", "torch", "monai"}
    assert (record["epochs"], record["seed"]) == (2, 0)


def test_the_members_are_those_of_the_run(revised):
    out, workflow = revised
    frozen = Frozen.read(out / "evidence")
    frame = workflow.parser.get_parsed_content("data").frame
    expected = {row.image_id: (row.part, row.split) for row in frame.itertuples()}
    assert {row["image_id"]: (row["part"], row["split"]) for row in frozen.members.to_pylist()} == expected
    assert frozen.manifest["images"] == {"forget": 24, "remain": 24, "undetermined": 0}


# What stays with the images and names them.
NAMING = ("cohort_members.parquet", "predictions.parquet")


def test_identifiers_are_in_members_and_predictions_alone(revised):
    out, _ = revised
    for path in out.rglob("*"):
        if path.is_file() and path.name not in NAMING:
            assert b"patient-0" not in path.read_bytes(), path
            assert b"image-0" not in path.read_bytes(), path
    assert all((out / "evidence" / name).is_file() for name in NAMING)


def test_people_who_withdrew_consent_are_not_named_in_the_bundle(tiny, tmp_path):
    text = SPEC.replace("device_deprecation", "consent_withdrawal").replace(
        "ManufacturerModelName == Old", "patient in [patient-003, patient-005, patient-006, patient-007]"
    )
    tiny.unlearn(tmp_path / "out", cohort_spec=str(tiny_spec(tmp_path, text)))
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file() and path.name != "predictions.parquet":
            assert b"patient-00" not in path.read_bytes(), path
    card = read(tmp_path / "out", "model_card_diff.json")["modification"]["cohort"]
    assert card["forget"] == "patient in [… 4 values]"


CONSENT = "schema_version: 1\nname: gone\nreason: consent_withdrawal\nforget: patient in [patient-003, patient-005]\n"


def test_doubtful_images_that_were_trained_on_are_not_passed_over_when_consent_is_withdrawn(tiny, tmp_path):
    frame = write_images(tmp_path / "pictures")
    frame.loc[frame["patient"].isin(["patient-000", "patient-001", "patient-002"]), "patient"] = None
    tiny_index(tmp_path, frame=frame)
    settings = {"index_dir": str(tmp_path / "index"), "cohort_spec": str(tiny_spec(tmp_path, CONSENT))}
    with pytest.raises(CohortError, match="images that .* may belong to patients who withdrew their consent") as caught:
        tiny.judged(tmp_path / "out", **settings)
    assert caught.value.exit_code == ExitCode.BAD_INPUT
    assert not (tmp_path / "out").exists()
    tiny_spec(tmp_path, f"{CONSENT}unknown: exclude\nwhy: They are phantoms.\n")
    tiny.unlearn(tmp_path / "out", **settings)
    card = read(tmp_path / "out", "model_card_diff.json")
    assert card["modification"]["cohort"]["doubtful_training"]["images"] > 0
    assert card["modification"]["cohort"]["value_lists"][0]["matched"] == 2
    assert any("are not forgotten, although their patients may have" in warning for warning in card["warnings"])
    text = (tmp_path / "out" / "evidence" / "model_card_diff.html").read_text(encoding="utf-8")
    assert "Why they are left out: They are phantoms." in text
    assert "2 of 2 values of [… 2 values] (patient) occur in the index" in text


def test_the_bundle_is_what_it_says_of_itself(revised, tmp_path):
    out, _ = revised
    assert [fault.kind for fault in verify(out / "rejected_bundle").faults] == [Kind.UNSIGNED]
    private, public = write_keys(tmp_path)
    sign(out / "rejected_bundle", private, signature=tmp_path / "a.sig")
    report = verify(out / "rejected_bundle", public_key=public, signature=tmp_path / "a.sig")
    assert (report.exit_code, list(report.faults), list(report.warnings)) == (0, [], [])
    assert report.weights_digest == revised_digest(out)


def test_a_sound_bundle_evaluates_as_its_evidence_says(revised, tiny, tmp_path):
    out, _ = revised
    private, public = write_keys(tmp_path)
    sign(out / "rejected_bundle", private, signature=tmp_path / "a.sig")
    words = ["verify", out / "rejected_bundle", "--public-key", public, "--signature", tmp_path / "a.sig"]
    done = CliRunner().invoke(app, [str(word) for word in [*words, "--replay", "--index", tiny.index, "--json"]])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)["replay"]
    assert figures["images"] == len(PredictionTable.read(out / "evidence" / "predictions.parquet").frame)
    assert figures["largest_difference"] < 1e-4
    # It left nothing behind in the bundle.
    assert verify(out / "rejected_bundle", public_key=public, signature=tmp_path / "a.sig").exit_code == 0


def test_the_card_says_what_was_taken_out_of_the_bundle(tiny, tmp_path):
    base = shutil.copytree(BUNDLE, tmp_path / "base")
    entry = {"path": "models/model.pt", "url": "https://weights.example/old", "hash_val": "0", "hash_type": "md5"}
    (base / "large_files.yml").write_text(json.dumps({"large_files": [entry]}))
    tiny.unlearn(tmp_path / "out", bundle=base)
    assert not list((tmp_path / "out" / "rejected_bundle").rglob("large_files*"))
    (warning,) = [one for one in read(tmp_path / "out", "model_card_diff.json")["warnings"] if "large_files" in one]
    assert warning.startswith("large_files.yml named models/model.pt as downloads: these are weights from before this")
    text = (tmp_path / "out" / "rejected_bundle" / "docs" / "model_card_diff.md").read_text(encoding="utf-8")
    assert "large_files.yml named models/model.pt as downloads" in text


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


def test_the_revised_bundle_runs_with_the_same_commands(tiny, revised, tmp_path):
    bundle = revised[0] / "rejected_bundle"
    assert read(bundle / "configs", "metadata.json")["version"] == "0.2.0"
    found = tmp_path / "evaluation.json"
    settings = {"index_dir": str(tiny.index), "cohort_spec": str(tiny.spec)}
    # Its configs have the run's classes and image size.
    plain = {"config_file": str(bundle / "configs" / "evaluate.yaml"), "run_id": "evaluate", "logging_file": False}
    workflow = ConfigWorkflow(**plain, workflow_type="train", output_file=str(found), device="cpu", **settings)
    with mock.patch.object(sys, "excepthook"):
        workflow.initialize()
        workflow.run()
    assert workflow.parser.get_parsed_content("class_names") == ["up", "down"]
    assert (
        read(tmp_path, "evaluation.json")["models"]["weights"] == read(revised[0], "metrics.json")["models"]["revised"]
    )
    again = tmp_path / "again"
    unlearn(bundle=bundle, **{**PLAIN, "output_dir": str(again), **settings})
    assert read(again / "rejected_bundle" / "configs", "metadata.json")["version"] == "0.3.0"


def test_the_same_seed_gives_the_same_weights(tiny, tmp_path):
    digests = []
    for number, seed in enumerate((0, 0, 1)):
        tiny.unlearn(tmp_path / str(number), seed=seed)
        digests.append(revised_digest(tmp_path / str(number)))
    assert digests[0] == digests[1] != digests[2]


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


def test_judging_changes_no_weight(tiny, tmp_path):
    """The decision has no part in the steps, where no stop condition is set."""
    digests = set()
    for name, config in {"a": JUDGED["decision"], "b": WIDE_MATCH, "c": WIDE["decision"]}.items():
        tiny.unlearn(tmp_path / name, decision=config)
        digests.add(revised_digest(tmp_path / name))
    assert len(digests) == 1


def test_the_decision_follows_from_the_predictions_alone(references):
    run = RunFolder(references[0])
    metrics = read(references[0], "metrics.json")
    again = decide_again(run).to_metrics()
    assert json.dumps(again) == json.dumps({key: metrics[key] for key in again})


def test_predictions_are_those_of_every_network_and_image(tiny, references):
    table = PredictionTable.read(RunFolder(references[0]).predictions)
    assert {one.name: (one.role, one.seed, one.recorded) for one in table.networks} == {
        "original": ("original", 0, True),
        "original_recalibrated": ("control", None, True),
        "revised": ("revised", 0, True),
        "revised_recalibrated": ("control", None, True),
        "reference": ("reference", 1, True),
        "reference_2": ("reference", 2, True),
        "reference_3": ("reference", 3, True),
    }
    assert set(table.frame["image_id"]) == set(Index.open(tiny.index).frame()["image_id"])
    assert table.slices == ("device",)
    metrics = read(references[0], "metrics.json")
    for part, splits in metrics["models"]["reference_2"].items():
        for split, subset in splits.items():
            found = confusion(table, "reference_2", part=part, split=split)
            assert sum(found["counts"][i][i] for i in range(2)) == subset["correct"]
    assert set(metrics["slices"]["revised"]["forget"]["train"]["device"]) == {"New", "Old"}


def test_where_a_class_means_no_disease_sensitivity_and_false_negatives_are_measured(tiny, tmp_path):
    tiny.unlearn(tmp_path / "out", decision={"healthy_classes": ["up"]})
    metrics = read(tmp_path / "out", "metrics.json")
    assert 0 <= metrics["models"]["revised"]["remain"]["train"]["sensitivity"]["value"] <= 1
    assert any(row["measure"] == "false_negatives" for row in metrics["decision"]["endpoints"])
    text = (tmp_path / "out" / "rejected_bundle" / "configs" / "unlearn.yaml").read_text(encoding="utf-8")
    assert '\n  healthy_classes: ["up"]\n' in text


def test_an_override_of_one_key_is_enough(tiny, tmp_path):
    with pytest.raises(NotAccepted, match="erased: |inconclusive: "):
        tiny.judged(tmp_path / "out", **{"decision::objective": "erase", "decision::healthy_classes": []})
    declared = read(tmp_path / "out", "metrics.json")["decision"]["declared"]
    assert (declared["objective"], declared["healthy_classes"], declared["limit"]) == ("erase", [], 0.5)


def test_stops_when_enough_is_forgotten(tiny, tmp_path):
    tiny.unlearn(tmp_path / "out", stop={"forget_accuracy": 1.0}, max_epochs=5, eval_interval=2)
    record = read(tmp_path / "out", "run.json")
    assert (record["steps"], record["updates"]["ended_by"]) == (1, "forget_accuracy")
    assert record["updates"]["evaluated_on"] == "forget / validation"


def test_the_effect_of_the_published_batch_norm_is_an_artefact_here_too(tiny, tmp_path):
    """BatchNorm in train mode on forget batches, hardly any learning: recalibration restores every accuracy."""
    settings = {"method::batch_norm": "published", "method::remain_weight": 0.0, "recalibrate": False}
    tiny.unlearn(tmp_path / "out", learning_rate=1e-9, max_epochs=20, **settings)
    models = read(tmp_path / "out", "metrics.json")["models"]
    for split, subset in models["revised_recalibrated"]["remain"].items():
        assert subset["correct"] == models["original_recalibrated"]["remain"][split]["correct"]
    digest = weights_digest(load_weights(network(), tiny.checkpoint).state_dict())
    assert read(tmp_path / "out", "model_card_diff.json")["base"]["weights_digest"] == digest


def network():
    parser = ConfigParser()
    parser.read_config(str(BUNDLE / "configs" / "train.yaml"))
    parser.read_meta(str(BUNDLE / "configs" / "metadata.json"))
    parser.update({"class_names": TINY["class_names"]})
    return parser.get_parsed_content("network_def")


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


def test_the_evidence_says_that_a_reference_has_no_training_record(tiny, revised, tmp_path):
    shutil.copy(revised[0] / "evidence" / "reference" / "seed-1" / "model.pt", tmp_path / "bare.pt")
    tiny.unlearn(tmp_path / "out", reference=str(tmp_path / "bare.pt"))
    assert read(tmp_path / "out", "metrics.json")["reference_is_recorded"] is False


def test_a_missing_reference_is_named(tiny, tmp_path):
    with pytest.raises(ConfigError, match="reference: there is no file nowhere.pt. Give --reference retrain"):
        tiny.judged(tmp_path / "out", reference="nowhere.pt")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"decision": {"objective": "eraze", "healthy_classes": []}},
            "decision: objective: expected one of match_reference, erase, got 'eraze'. Did you mean 'erase'",
        ),
        ({"decision": {"healthy_classes": ["upp"]}}, "decision: healthy_classes: .* got 'upp'. Did you mean 'up'"),
        ({"decision": {"healthy_clases": []}}, "Did you mean 'healthy_classes'"),
        ({"decision": {}}, "decision: expected healthy_classes"),
        ({"objective": "erase"}, "nothing in the config uses 'objective'. Did you mean '--decision::objective'"),
        ({"output_dir": None}, "output_dir is not set"),
        ({"cohort_spec": None}, "cohort_spec is not set. Give it on the command line: --cohort_spec"),
        ({"index_dir": None}, "index_dir is not set"),
        ({"refrence": "retrain"}, "nothing in the config uses 'refrence'. Did you mean '--reference'"),
        ({"max_epoch": 3}, "Did you mean '--max_epochs'"),
        ({"stop": {"forget_accuracy": 2}}, r"expected forget_accuracy in \[0, 1\], got 2"),
        ({"split": {"seed": 1, "test_fraction": 0.2}}, "trained under another split"),
        ({"method": {"_target_": "monai_unlearn.methods.PSG", "steps": 0}}, "boundary search: expected"),
    ],
)
def test_bad_settings_end_before_anything_is_written(tiny, tmp_path, overrides, message):
    with pytest.raises(InputError, match=message):
        tiny.judged(tmp_path / "out", **overrides)
    assert list(tmp_path.iterdir()) == []


def test_an_estimate_is_what_the_run_then_costs_and_writes_nothing_else(tiny, tmp_path, revised):
    asked = {"reference": "retrain", "reference_seeds": 2, "max_epochs": 2, "stop": {}}
    tiny.unlearn(tmp_path / "out", estimate=str(tmp_path / "estimate.json"), **asked)
    assert [path.name for path in tmp_path.iterdir()] == ["estimate.json"]
    found = json.loads((tmp_path / "estimate.json").read_text(encoding="utf-8"))
    ran, cost = read(revised[0], "run.json"), read(revised[0], "metrics.json")["cost"]["gradient_evaluations"]
    assert found["steps"] == ran["steps"]
    assert found["networks_to_retrain"] == 2
    assert found["retraining_gradient_evaluations"] == pytest.approx(cost["retraining"], rel=0.05)
    assert found["gradient_evaluations"]["unlearning"] == pytest.approx(cost["unlearning"], rel=0.5)
    assert found["seconds"]["unlearning"] >= 0


def test_a_loss_that_is_not_finite_stops_the_run(tiny, tmp_path):
    with pytest.raises(TrainingError, match="no result was written.* last good checkpoint, of step 0, is kept in"):
        tiny.judged(tmp_path / "out", learning_rate=1e30, max_epochs=5)
    assert [path.name for path in tmp_path.iterdir()] == [".out.checkpoint"]


def test_results_are_never_overwritten(tiny, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")
    with pytest.raises(InputError, match="out: expected a new or empty folder, found a folder that is not empty"):
        tiny.judged(tmp_path / "out")
    assert (tmp_path / "out" / "mine").read_text() == "precious"


def test_a_warning_says_that_training_images_are_unknown(tiny, tmp_path):
    shutil.copy(tiny.checkpoint, tmp_path / "model.pt")
    tiny.unlearn(tmp_path / "out", checkpoint=str(tmp_path / "model.pt"))
    assert "come without a training record" in read(tmp_path / "out", "metrics.json")["warnings"][-1]


def test_a_warning_says_that_the_index_holds_other_images(tiny, tmp_path):
    frame = write_images(tmp_path / "images", patients=30)
    tiny_index(tmp_path, frame=frame)
    tiny.unlearn(tmp_path / "out", index_dir=str(tmp_path / "index"))
    assert "names other images than this index holds" in read(tmp_path / "out", "metrics.json")["warnings"][-1]


def test_undetermined_images_are_used_for_neither(tiny, tmp_path):
    frame = write_images(tmp_path / "images")
    frame.loc[:3, "ManufacturerModelName"] = None
    tiny_index(tmp_path, frame=frame)
    tiny.unlearn(tmp_path / "out", index_dir=str(tmp_path / "index"))
    counts = read(tmp_path / "out", "metrics.json")["counts"]
    assert sum(counts["undetermined"].values()) == 4
    assert any("undetermined" in line for line in read(tmp_path / "out", "metrics.json")["warnings"])


def test_the_example_in_the_docstring_runs(tiny, tmp_path, monkeypatch):
    """A revision built in Python gives the weights of the same run from the command line."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BUNDLE, "my_bundle")
    for name in ("model.pt", "training.json"):
        shutil.copyfile(tiny.checkpoint.with_name(name), tmp_path / "my_bundle" / "models" / name)
    settings = {**PLAIN, **TINY, "index_dir": str(tiny.index), "cohort_spec": str(tiny.spec)}
    parser = ConfigParser()
    parser.read_config("my_bundle/configs/unlearn.yaml")
    parser.read_meta("my_bundle/configs/metadata.json")
    parser.update({**settings, "imports": ["$import monai_unlearn.engine as engine"], "output_dir": "not used"})
    names = {"data": "data", "preprocessing": "preprocessing", "retraining": "revision::retraining"}
    values = {name: parser.get_parsed_content(key) for name, key in {**names, "trainer": "train::trainer"}.items()}
    (snippet,) = re.findall(r"```python\n(.*?)```", Revision.__doc__, re.DOTALL)
    values |= {
        "Revision": functools.partial(Revision, force=True),
        "PixelSpace": PixelSpace,
        "subset_datasets": subset_datasets,
    }
    with pytest.raises(NotAccepted, match="not_known"):
        exec(compile(textwrap.dedent(snippet), "revision.py", "exec"), values)  # noqa: S102 - the example of this package
    tiny.unlearn(tmp_path / "out")
    assert revised_digest(tmp_path / "revision") == revised_digest(tmp_path / "out")


def test_results_within_the_bundle_are_refused(tiny, tmp_path):
    bundle = tmp_path / "bundle"
    shutil.copytree(BUNDLE, bundle, ignore=shutil.ignore_patterns("models"))
    with pytest.raises(ConfigError, match="lies within the bundle"):
        tiny.judged(bundle / "out", bundle_root=str(bundle))
    assert not (bundle / "out").exists()


def test_boundary_targets_on_two_classes_are_refused_unless_forced(tiny, tmp_path):
    with pytest.raises(ConfigError, match=r"sensitivity fell from 96 % to 7 %.*--force true") as error:
        tiny.judged(tmp_path / "out", force=False)
    assert error.value.exit_code == ExitCode.BAD_INPUT
    assert not (tmp_path / "out").exists()


def test_a_method_that_does_not_suit_the_cohort_is_warned_of_in_the_run_and_on_the_card(revised):
    warning = "The method psg is not known to suit this cohort (images of a device"
    for name in ("metrics.json", "model_card_diff.json"):
        assert any(text.startswith(warning) for text in read(revised[0], name)["warnings"])
