"""The walk-through for your own model, run as it is: commands and files are read from the page."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from typer.testing import CliRunner
from zoo_classifiers import LAYOUTS, write_bundle, write_data

from monai_unlearn.cli import app
from monai_unlearn.index import Index

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "your_own_model.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(COMMANDS,) = (body for language, body in BLOCKS if language == "bash")
INDEX, OVERLAY, UNLEARN = (shlex.split(line) for line in COMMANDS.splitlines())
(SPEC,) = (body for language, body in BLOCKS if language == "yaml")
(SNIPPET,) = (body for language, body in BLOCKS if language == "python")


def ours(words):
    found = CliRunner().invoke(app, words[1:])
    assert found.exit_code == 0, found.output
    return found.stdout


def test_three_commands_on_a_bundle_laid_out_like_one_of_the_zoo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    layout = LAYOUTS["endoscopic_inbody"]()
    bundle = write_bundle(tmp_path / "my_bundle", layout)
    inference = (bundle / "configs" / "inference.json").read_bytes()
    frame = Index.open(write_data(tmp_path, layout)).frame()
    shutil.rmtree(tmp_path / "index")
    frame["file_name"] = [Path(path).name for path in frame["path"]]
    frame = frame.rename(columns={"patient": "participant"})
    frame[["file_name", "diagnosis", "participant", "ManufacturerModelName"]].to_csv("labels.csv", index=False)
    (tmp_path / "cohort.yaml").write_text(SPEC, encoding="utf-8")
    ours(INDEX)
    printed = ours(OVERLAY)
    # The page's third line is what the command prints, with names in place of words.
    assert shlex.split(printed.strip().splitlines()[-1])[:3] == UNLEARN[:3]
    words = [sys.executable, "-W", "ignore", "-m", "monai_unlearn", *UNLEARN[1:]]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode in (0, 3), done.stderr
    assert "Traceback" not in done.stderr
    (made,) = (tmp_path / "revision").glob("*_bundle")
    metadata = json.loads((made / "configs" / "metadata.json").read_text())
    assert metadata["version"] == "0.5.0"
    assert metadata["name"] == "A classifier of somebody"
    assert "retire-old" in metadata["changelog"]["0.5.0"]
    assert (made / "configs" / "inference.json").read_bytes() == inference
    before, after = (torch.load(root / "models" / "model.pt", weights_only=True) for root in (bundle, made))
    before, after = before["model"], after["model"]
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    namespace: dict[str, object] = {}
    exec(compile(SNIPPET, "your_own_model.md", "exec"), namespace)  # noqa: S102 - the page's own example
    assert len(namespace["remain"]) > 0
