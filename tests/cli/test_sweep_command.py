from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigComponent, ConfigParser
from tiny import tiny_index, tiny_spec
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.experiments import run as sweep_run

CONFIG = Path(__file__).resolve().parents[2] / "bundles" / "fundus_classifier" / "configs" / "unlearn.yaml"
SPLIT = "split::validation_fraction=0.3"


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A sweep whose bundle runs are played: `runs` are the words of each, `play` says how each ends."""
    return Bench(tmp_path, monkeypatch)


class Bench:
    def __init__(self, folder: Path, monkeypatch):
        tiny_index(folder)
        self.folder, self.out, self.spec = folder, folder / "sweep", tiny_spec(folder)
        self.config = folder / "bundle" / "configs" / "unlearn.yaml"
        self.config.parent.mkdir(parents=True)
        self.config.write_text("split: {seed: 0, test_fraction: 0.2}\n", encoding="utf-8")
        self.runs: list[dict[str, str]] = []
        self.play = lambda _: 0
        monkeypatch.setattr(sweep_run.subprocess, "run", self._run)

    def _run(self, words, *, stdout, **_):
        assert words[:5] == [sys.executable, "-m", "monai.bundle", "run", "unlearn"]
        settings = dict(word[2:].split("=", 1) for word in words[7:])
        self.runs.append(settings)
        code = self.play(settings)
        if code in (0, 3):
            self._write(settings, code)
        else:
            stdout.write("Reading pictures\nError: what the run said.\n")
        return subprocess.CompletedProcess(words, code)

    def _write(self, settings, code):
        run = Path(settings["output_dir"])
        run.mkdir(parents=True)
        accuracy = {"0": 0.5, "1": 0.1}[settings["method::noise"]] + float(settings["method::proximity_weight"])
        models = {"original": (0.9, 0.9), "revised": (accuracy, 0.8), "reference": (0.2, 0.9)}
        if "reference" not in settings:
            del models["reference"]
        if settings.get("reference") == "retrain":
            (run / "reference").mkdir()
            (run / "reference" / "model.pt").write_bytes(b"weights")
        metrics = {
            "models": {
                name: {
                    part: {"validation": {"n": 10, "accuracy": value}}
                    for part, value in zip(("forget", "remain"), both, strict=True)
                }
                for name, both in models.items()
            },
            "cost": {
                "gradient_evaluations": {"unlearning": 100},
                "share_of_retraining_gradients": 0.1,
                "seconds": {"unlearning": 1.0},
            },
            "accepted": code == 0,
        }
        (run / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")

    def __call__(self, *words, noise="0,1", fix=SPLIT):
        command = ["sweep", self.config, self.spec, "--index", self.folder / "index", "--out", self.out]
        command += ["--set", f"method::noise={noise}", "--set", "method::proximity_weight=0,0.25", "--fix", fix, *words]
        return CliRunner().invoke(app, [str(word) for word in command])


def test_runs_the_grid_and_names_the_best(bench):
    result = bench("--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document == json.loads((bench.out / "sweep.json").read_text(encoding="utf-8"))
    assert document["best"]["settings"] == {"method::noise": "1", "method::proximity_weight": "0"}
    assert document["best"]["score"] == pytest.approx(0.1 + 0.1)
    assert (document["split"], document["criterion"]["name"]) == ("validation", "erase")
    assert [run["method::noise"] + run["method::proximity_weight"] for run in bench.runs] == [
        "00",
        "00.25",
        "10",
        "10.25",
    ]
    assert bench.runs[0]["trials::splits"] == "['train','validation','test']"
    assert bench.runs[0]["split::validation_fraction"] == "0.3"
    assert {path.name for path in bench.out.iterdir()} == {"sweep.json", "sweep.md", "sweep.png", "trials"}


def test_says_it_to_people_as_well(bench):
    result = bench()
    assert result.exit_code == 0
    assert "Best on validation images, by forget accuracy" in result.stdout
    assert "--method::noise 1 --method::proximity_weight 0" in result.stdout
    assert "4/4" in result.stderr
    assert "not accepted" not in result.stdout


def test_goes_on_where_it_was_interrupted_and_keeps_what_there_is(bench):
    bench.play = lambda _: 0 if len(bench.runs) < 3 else 1 // 0
    assert isinstance(bench().exception, ZeroDivisionError)
    bench.play = lambda _: 0
    document = json.loads(bench("--json").stdout)
    assert [trial["kept"] for trial in document["trials"]] == [True, True, False, False]
    assert len(bench.runs) == 3 + 2
    bench("--json")
    assert len(bench.runs) == 5
    bench("--json", noise="1")
    assert len(bench.runs) == 5
    bench("--json", fix="split::validation_fraction=0.31")
    assert len(bench.runs) == 9


def test_retrains_once(bench):
    document = json.loads(bench("--reference", "retrain", "--json").stdout)
    assert document["criterion"]["name"] == "gap_to_reference"
    first = bench.out / "trials" / document["trials"][0]["name"] / "run" / "reference" / "model.pt"
    assert [run["reference"] for run in bench.runs] == ["retrain", *[str(first)] * 3]
    bench("--reference", "retrain", noise="0,1,1.0")
    assert document["best"]["score"] == pytest.approx(0.1 + 0.1)


def test_retraining_is_not_repeated_by_a_sweep_that_goes_on(bench):
    bench.play = lambda _: 0 if len(bench.runs) < 2 else 1
    bench("--reference", "retrain")
    bench.play = lambda _: 0
    bench("--reference", "retrain")
    assert [run["reference"] == "retrain" for run in bench.runs] == [True] + [False] * 6


def test_a_run_that_is_not_accepted_counts_and_one_that_failed_is_named_and_tried_again(bench):
    bench.play = lambda settings: 1 if settings["method::noise"] == "1" else 3
    document = json.loads(bench("--json").stdout)
    assert [trial["status"] for trial in document["trials"]] == ["finished", "finished", "failed", "failed"]
    assert document["trials"][2]["error"] == "what the run said."
    assert document["best"]["settings"]["method::noise"] == "0"
    assert document["best"]["accepted"] is False
    bench()
    assert len(bench.runs) == 4 + 2


def test_where_no_run_ends_well_neither_does_the_sweep(bench):
    bench.play = lambda _: 1
    result = bench()
    assert result.exit_code == 1
    assert "no run of the sweep came to an end: what the run said." in result.stderr


def test_bad_input_of_a_run_ends_the_sweep(bench):
    bench.play = lambda _: 2
    result = bench()
    assert result.exit_code == 2
    assert (
        "the run with method::noise=0, method::proximity_weight=0 refused its input: what the run said."
        in result.stderr
    )
    assert len(bench.runs) == 1


def test_nothing_is_run_without_validation_images(bench):
    result = bench(fix="seed=1")
    assert result.exit_code == 2
    assert "settings must not be chosen on test images. Train the bundle with --split::validation_fraction" in (
        result.stderr
    )
    assert not bench.runs
    assert not bench.out.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--criterion", "gap_to_reference"], "needs a reference. Give --reference retrain"),
        (["--criterion", "eras"], "expected one of gap_to_reference, erase, got 'eras'. Did you mean 'erase'"),
        (["--set", "method::noise=3"], "--set method::noise is given twice"),
    ],
)
def test_refuses_what_it_cannot_do(bench, words, message):
    result = bench(*words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not bench.runs


def test_refuses_a_folder_of_something_else(bench):
    bench.out.mkdir()
    (bench.out / "letter.txt").write_text("mine", encoding="utf-8")
    result = bench()
    assert result.exit_code == 2
    assert "expected a folder that is new, empty or of an earlier sweep" in result.stderr
    assert not bench.runs


def test_a_real_run_takes_the_settings_and_reads_validation_images(tmp_path):
    """One trial by the real bundle: MONAI's command line, the split, and the figures that come back."""
    tiny_index(tmp_path)
    weights = tmp_path / "model.pt"
    torch.save(network_of(2).state_dict(), weights)
    settings = {
        "checkpoint": str(weights),
        "class_names": "['up','down']",
        "image_size": "[16,16]",
        "device": "cpu",
        "split::validation_fraction": "0.3",
    }
    command = ["sweep", CONFIG, tiny_spec(tmp_path), "--index", tmp_path / "index", "--out", tmp_path / "sweep"]
    command += ["--set", "method::noise=1e-4", "--json"]
    command += [word for name, value in settings.items() for word in ("--fix", f"{name}={value}")]
    result = CliRunner().invoke(app, [str(word) for word in command])
    assert result.exit_code == 0, result.stderr
    (trial,) = json.loads(result.stdout)["trials"]
    run = tmp_path / "sweep" / "trials" / trial["name"] / "run"
    record, metrics = (json.loads((run / name).read_text(encoding="utf-8")) for name in ("run.json", "metrics.json"))
    assert record["config"]["method"]["noise"] == pytest.approx(1e-4)
    read = metrics["models"][trial["read_as"]]
    assert trial["read_as"] == "revised_recalibrated"
    assert [trial[part] for part in read] == [read[part]["validation"]["accuracy"] for part in read]


def network_of(classes: int) -> torch.nn.Module:
    """Return the fundus bundle's network, untrained."""
    parser = ConfigParser()
    parser.read_config(str(CONFIG))
    torch.manual_seed(0)
    return ConfigComponent({**parser["network_def"], "num_classes": classes}).instantiate()
