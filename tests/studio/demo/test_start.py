from __future__ import annotations

from pathlib import Path

import pytest
from demo_example import write_demo
from typer.testing import CliRunner

from monai_unlearn.cli import app
from monai_unlearn.errors import ConfigError
from monai_unlearn.studio import serve as serving
from monai_unlearn.studio.demo.start import demo_folder, start_demo
from monai_unlearn.studio.settings import Settings

NONE = {"--index": None, "--store": None}


def test_a_studio_that_is_no_demo_stays_as_it_is():
    settings = Settings(index=Path("index"))
    assert start_demo(settings) is settings
    assert demo_folder(None, is_demo=False, given=NONE) is None


def test_without_a_folder_there_is_a_new_temporary_one():
    folders = [demo_folder(None, is_demo=True, given=NONE) for _ in range(2)]
    try:
        assert folders[0] != folders[1]
        assert all(folder.root.name.startswith("monai-unlearn-demo-") for folder in folders)
    finally:
        for folder in folders:
            folder.root.rmdir()


def test_folders_that_do_not_belong_together_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="leave out --index"):
        demo_folder(tmp_path, is_demo=True, given={**NONE, "--index": Path("index")})
    with pytest.raises(ConfigError, match="only --demo takes a folder"):
        demo_folder(tmp_path, is_demo=False, given=NONE)


def test_the_command_opens_what_is_prepared_and_names_the_folder(tmp_path, monkeypatch):
    write_demo(tmp_path / "demo")
    seen = []
    monkeypatch.setattr(serving, "serve", seen.append)
    result = CliRunner().invoke(app, ["studio", "--demo", str(tmp_path / "demo"), "--port", "0"])
    assert result.exit_code == 0, result.output
    (settings,) = seen
    assert settings.demo.root == tmp_path / "demo"
    assert (settings.index, settings.bundle) == (tmp_path / "demo" / "index", tmp_path / "demo" / "bundle")
    assert (settings.store, settings.work) == (tmp_path / "demo" / "deployed", tmp_path / "demo" / "studio")
    assert f"The demo's folder: {tmp_path / 'demo'}" in result.output
    assert f"monai-unlearn studio --demo {tmp_path / 'demo'}" in result.output


def test_a_folder_that_holds_something_else_has_exit_code_2(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    result = CliRunner().invoke(app, ["studio", "--demo", str(tmp_path), "--port", "0"])
    assert result.exit_code == 2
    assert "found something else" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
