from __future__ import annotations

import json
import logging
import sys

import pytest
import torch
from monai.utils import get_seed

from monai_unlearn.engine.hosted import run_hosted
from monai_unlearn.errors import ConfigError


@pytest.fixture
def config(tmp_path):
    """A config whose run does what the test says."""
    path = tmp_path / "run.json"

    def write(expression, **content):
        imports = ["$import monai_unlearn.engine as engine", "$import pathlib"]
        whole = {"imports": imports, "initialize": ["$engine.report_errors()"], "go": [expression], **content}
        path.write_text(json.dumps(whole), encoding="utf-8")
        (tmp_path / "metadata.json").write_text("{}", encoding="utf-8")
        return [path]

    return write


def test_settings_and_process(config, tmp_path):
    configs = config("$pathlib.Path(@target).write_text(str(@number))", number=1, target="")
    before, flag = (sys.excepthook, list(sys.path)), torch.backends.cudnn.deterministic
    run_hosted(configs, "go", {"target": str(tmp_path / "out.txt"), "number": 7})
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "7"
    assert (sys.excepthook, list(sys.path)) == before
    config("$setattr(torch.backends.cudnn, 'deterministic', not torch.backends.cudnn.deterministic)")
    run_hosted(configs, "go", {})
    assert torch.backends.cudnn.deterministic is flag


def test_a_setting_that_nothing_uses_is_refused(config):
    with pytest.raises(ConfigError, match="^nothing in the config uses 'nmber'. Did you mean '--number'"):
        run_hosted(config("$@number", number=1), "go", {"nmber": 2})


def test_errors_of_others_are_raised_as_monai_does(config):
    with pytest.raises(RuntimeError, match="evaluat|execut|expression"):
        run_hosted(config("$1 / 0"), "go", {})


def test_an_interruption_says_how_to_go_on(config, capsys):
    configs = config("$next(exec('raise KeyboardInterrupt') for _ in [0])")
    with pytest.raises(KeyboardInterrupt, match="^$"):
        run_hosted(configs, "go", {})
    assert "the same command resumes from it" in capsys.readouterr().err


def test_monai_does_not_speak_of_a_log_file(config, caplog):
    with caplog.at_level(logging.WARNING):
        run_hosted(config("$None"), "go", {})
    assert "Logging file" not in caplog.text


def test_code_of_bundles_and_the_seed_do_not_stay(tmp_path):
    before = get_seed()
    for name in ("first", "second"):
        root = tmp_path / name
        (root / "scripts").mkdir(parents=True)
        (root / "scripts" / "__init__.py").write_text(f"NAME = {name!r}\n", encoding="utf-8")
        whole = {
            "imports": ["$import monai", "$import pathlib", "$import scripts"],
            "go": [
                "$monai.utils.set_determinism(7)",
                f"$pathlib.Path({str(root / 'said')!r}).write_text(scripts.NAME)",
            ],
        }
        (root / "configs").mkdir()
        for file, content in {"run": whole, "metadata": {}}.items():
            (root / "configs" / f"{file}.json").write_text(json.dumps(content), encoding="utf-8")
        run_hosted([root / "configs" / "run.json"], "go", {})
        assert (root / "said").read_text(encoding="utf-8") == name
    assert get_seed() == before
    assert str(tmp_path / "first") not in getattr(sys.modules.get("scripts"), "__file__", "")
