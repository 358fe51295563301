from __future__ import annotations

import json

from release_example import write_release
from typer.testing import CliRunner

from monai_unlearn.cli import app


def run(*words):
    return CliRunner().invoke(app, ["inspect", *map(str, words)])


def test_code_is_listed_in_lines(tmp_path):
    bundle = write_release(tmp_path / "bundle")
    (bundle / "configs" / "train.json").write_text('{"imports": ["$import os"], "x": {"_target_": "scripts.a.B"}}')
    (bundle / "configs" / "broken.json").write_text("{")
    (bundle / "models" / "model.ts").write_text("x")
    done = run(bundle)
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0] == "Some 1.1.0: this runs as code when the bundle runs."
    assert "    expression size: $1 + 1" in lines
    assert "  ! import imports::0: $import os" in lines
    assert "  ! target x::_target_: scripts.a.B" in lines
    assert any(line.startswith("! Python scripts/models/net.py: sha256 ") for line in lines)
    assert any(line.startswith("! models/model.ts: a compiled network") for line in lines)
    assert "! configs/broken.json: cannot be read, so what it runs is not known." in lines
    assert json.loads(run(bundle, "--json").stdout)["counts"]["import"] == 1


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    assert run(tmp_path).exit_code == 2
