from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.studio import serve as module

RUNNER = CliRunner()


def test_options_become_settings(monkeypatch):
    seen = []
    monkeypatch.setattr(module, "serve", seen.append)
    words = ["studio", "--index", "index", "--work", "work", "--port", "0", "--trust", "--show-images"]
    result = RUNNER.invoke(app, words)
    assert result.exit_code == 0, result.output
    (settings,) = seen
    assert (settings.index, settings.work, settings.port, settings.trust) == (Path("index"), Path("work"), 0, True)
    assert settings.show_images
    assert settings.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "10.0.0.5"], "--tls-cert FILE"),
        (["--tls-cert", "a"], "belong together"),
        (["--index", "none"], "no such folder"),
        (["--behind-proxy", "https://someone-studio.hf.space", "--host", "::"], "for the demo alone"),
        (["--demo", "--store", "a"], "leave out --store"),
        (["folder"], "only --demo takes a folder"),
    ],
)
def test_bad_input_has_exit_code_2(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = RUNNER.invoke(app, ["studio", "--port", "0", *words])
    assert result.exit_code == 2
    assert said in result.stderr
