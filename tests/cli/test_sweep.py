from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from interrupted import assert_says_how_to_go_on
from monai.bundle import ConfigComponent, ConfigParser
from played_runs import PlayedRuns
from tiny import tiny_index, tiny_spec
from typer.testing import CliRunner

from monai_unlearn.cli import app

CONFIG = Path(__file__).resolve().parents[2] / "bundles" / "fundus_classifier" / "configs" / "unlearn.yaml"


@pytest.fixture
def played(tmp_path, monkeypatch):
    return PlayedRuns(tmp_path, monkeypatch)


def invoke(played, *words, fix="split::validation_fraction=0.3"):
    command = ["sweep", played.config, played.spec, "--index", played.index, "--out", played.out]
    command += ["--set", "method::noise=0,1", "--set", "method::proximity_weight=0,0.25", "--fix", fix, *words]
    return CliRunner().invoke(app, [str(word) for word in command])


def test_json_is_the_document_of_the_sweep(played):
    result = invoke(played, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == json.loads((played.out / "sweep.json").read_text(encoding="utf-8"))
    assert len(json.loads(result.stdout)["trials"]) == 4


def test_shows_a_table_and_the_best_settings(played):
    result = invoke(played)
    assert result.exit_code == 0
    assert "Best on validation images, by forget accuracy" in result.stdout
    assert "--method::noise 1 --method::proximity_weight 0" in result.stdout
    assert f"The table, the plot and the runs are in {played.out}." in result.stdout.replace("\n", " ")
    assert "4/4" in result.stderr


@pytest.mark.parametrize(("code", "exit_code"), [(1, 1), (2, 2), (3, 0)])
def test_the_exit_code_follows_the_runs(played, code, exit_code):
    played.play = lambda _: code
    result = invoke(played)
    assert result.exit_code == exit_code
    assert ("what the run said." in result.stderr) == (code != 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--criterion", "gap_to_reference"], "needs a reference. Give --reference retrain"),
        (["--criterion", "eras"], "expected one of gap_to_reference, erase, got 'eras'. Did you mean 'erase'"),
        (["--set", "method::noise=3"], "--set method::noise is given twice"),
    ],
)
def test_bad_options_end_with_2(played, words, message):
    result = invoke(played, *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not played.runs


def test_a_real_run_takes_the_settings_and_reports_validation_images(tmp_path):
    """One trial by the real bundle: MONAI's command line, the split, and the figures that come back."""
    tiny_index(tmp_path)
    weights = tmp_path / "model.pt"
    torch.save(network_of(2).state_dict(), weights)
    settings = {
        "checkpoint": str(weights),
        "class_names": "['up','down']",
        "image_size": "[16,16]",
        "device": "cpu",
        "decision::healthy_classes": "[]",
        "split::validation_fraction": "0.3",
        "method": "{name: psg}",
        "force": "true",  # PSG on two classes
        "steps": "4",  # without a training record, a share of training cannot be computed
    }
    command = ["sweep", CONFIG, tiny_spec(tmp_path), "--index", tmp_path / "index", "--out", tmp_path / "sweep"]
    command += ["--set", "method::noise=1e-4", "--json"]
    command += [word for name, value in settings.items() for word in ("--fix", f"{name}={value}")]
    result = CliRunner().invoke(app, [str(word) for word in command])
    assert result.exit_code == 0, result.stderr
    (trial,) = json.loads(result.stdout)["trials"]
    run = tmp_path / "sweep" / "trials" / trial["name"] / "run" / "evidence"
    record, metrics = (json.loads((run / name).read_text(encoding="utf-8")) for name in ("run.json", "metrics.json"))
    assert record["config"]["method"]["noise"] == pytest.approx(1e-4)
    assert trial["read_as"] == "revised_recalibrated"
    judged = metrics["models"][trial["read_as"]]
    assert [trial[part] for part in judged] == [judged[part]["validation"]["accuracy"] for part in judged]


def network_of(classes: int) -> torch.nn.Module:
    """Return the fundus bundle's network, untrained."""
    parser = ConfigParser()
    parser.read_config(str(CONFIG))
    torch.manual_seed(0)
    return ConfigComponent({**parser["network_def"], "num_classes": classes}).instantiate()


def test_an_interrupt_says_how_to_go_on(played):
    assert_says_how_to_go_on(played, invoke)
