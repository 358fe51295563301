from __future__ import annotations

import os
import sys

import pytest
import yaml
from demo_example import write_demo

from monai_unlearn.errors import ConfigError, UnlearnError
from monai_unlearn.experiments.unlearn import StoppedError
from monai_unlearn.locks import locked
from monai_unlearn.studio.demo import prepare as module
from monai_unlearn.studio.demo.folder import DemoFolder
from monai_unlearn.studio.demo.prepare import command_of, prepare, steps_of, use_one_thread
from monai_unlearn.studio.demo.story import SPEC, SPEC_NAME


@pytest.fixture
def ran(monkeypatch):
    """The commands that would run; each writes what tells that it ran."""
    words_of = []

    def run(name, words, folder):
        words_of.append(words[0] if words[0] != "run" else words[1])
        target = {"phantom": folder.studies / "labels.csv", "index": folder.index / "index.json"}
        target = target.get(words_of[-1], folder.bundle / "models" / "training.json")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()

    monkeypatch.setattr(module, "_run", run)
    monkeypatch.setattr(module, "begin", lambda _: words_of.append("begin"))
    return words_of


def test_the_steps_run_in_order_and_once(tmp_path, ran, capsys):
    folder = DemoFolder(tmp_path / "demo")
    prepare(folder)
    assert ran == ["phantom", "index", "train", "begin"]
    assert "[1/5] Draw photographs of made-up patients" in capsys.readouterr().out
    assert (folder.work / "specs" / f"{SPEC_NAME}.yaml").read_text(encoding="utf-8") == SPEC
    prepare(folder)
    assert len(ran) == 4
    assert "[" not in capsys.readouterr().out


def test_a_start_goes_on_where_the_one_before_stopped(tmp_path, ran, monkeypatch):
    folder, run = DemoFolder(tmp_path / "demo"), module._run

    def stop(name, words, folder):
        if words[0] == "run":
            raise KeyboardInterrupt
        run(name, words, folder)

    monkeypatch.setattr(module, "_run", stop)
    with pytest.raises(StoppedError, match=f"The same command goes on: monai-unlearn studio --demo {folder.root}"):
        prepare(folder)
    monkeypatch.setattr(module, "_run", run)
    prepare(folder)
    assert ran == ["phantom", "index", "train", "begin"]


def test_weights_that_a_killed_start_left_do_not_stop_the_next_one(tmp_path, ran):
    folder = DemoFolder(tmp_path / "demo")
    prepare(folder)
    models = folder.bundle / "models"
    (models / "training.json").unlink()
    (models / "model.pt").touch()
    prepare(folder)
    assert ran[-1] == "train"
    assert [path.name for path in models.iterdir()] == ["training.json"]


def test_the_bundle_has_the_settings_and_no_weights_of_others(tmp_path, ran):
    folder = DemoFolder(tmp_path / "demo")
    prepare(folder)
    config = yaml.safe_load((folder.bundle / "configs" / "unlearn.yaml").read_text(encoding="utf-8"))
    assert (config["method"], config["reference"], config["image_size"]) == ("reset", "retrain", [32, 32])
    assert [path.name for path in (folder.bundle / "models").iterdir()] == ["training.json"]


def test_two_at_once_do_not_prepare_the_same_demo(tmp_path, ran):
    folder = write_demo(tmp_path / "demo", begun=False)
    with (
        locked(folder.root / ".preparing", refusal=ConfigError("")),
        pytest.raises(ConfigError, match="another process prepares this demo"),
    ):
        prepare(folder)


@pytest.mark.parametrize(("code", "kind"), [(2, ConfigError), (1, UnlearnError)])
def test_a_step_that_fails_ends_it(tmp_path, monkeypatch, code, kind):
    monkeypatch.setattr(module, "module_command", lambda *_, **__: [sys.executable, "-c", f"raise SystemExit({code})"])
    with pytest.raises(kind, match=f"a step ended with exit code {code}"):
        prepare(DemoFolder(tmp_path / "demo"))


def test_a_command_is_printed_as_a_user_would_type_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "module_command", lambda *_, **__: [sys.executable, "-c", ""])
    folder = DemoFolder(tmp_path / "demo")
    folder.claim()
    steps_of(folder)[0].do()
    assert "    $ monai-unlearn phantom fundus studies --patients" in capsys.readouterr().out


def test_the_command_that_goes_on_is_quoted(tmp_path):
    assert command_of(DemoFolder(tmp_path / "a b")) == f"monai-unlearn studio --demo '{tmp_path}/a b'"


def test_processes_use_a_thread_unless_somebody_says_otherwise(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    use_one_thread()
    assert os.environ["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    use_one_thread()
    assert os.environ["OMP_NUM_THREADS"] == "4"
