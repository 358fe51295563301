"""The way of a release through a hospital, as the page shows it: its commands are run in their order."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from release_example import write_release
from typer.testing import CliRunner

from monai_unlearn.cli import app

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "release.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.strip().splitlines()
]


@pytest.mark.skipif(not shutil.which("openssl"), reason="OpenSSL is not installed")
def test_the_commands_run_in_their_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_release(tmp_path / "revision" / "revised_bundle", version="1.1.0", seed=1)
    before = write_release(tmp_path / "bundle", version="1.0.0", seed=0)
    for name in ("lineage.json", "SHA256SUMS", "models/training.json"):
        (before / name).unlink()
    shutil.rmtree(before / "docs")
    said = {}
    for words in COMMANDS:
        if words[0] != "monai-unlearn":
            subprocess.run([shutil.which(words[0]), *words[1:]], check=True, capture_output=True)
            continue
        done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == 0, (words, done.output)
        said[" ".join(words[1:3])] = done.output
    assert said["verify revision/revised_bundle"] == "Some 1.1.0: sound.\n"
    assert json.loads(Path("deployed/current/configs/metadata.json").read_text())["version"] == "1.0.0"
    assert [line["event"] for line in map(json.loads, Path("deployed/ledger.jsonl").read_text().splitlines())] == [
        "sign",
        "promote",
        "promote",
        "rollback",
        "reject",
        "unlearn",
    ]
    assert said["ledger verify"] == "5 lines: sound.\n"


def test_the_exit_codes_are_those_of_the_command():
    from monai_unlearn.release.verify import Kind

    codes = dict(re.findall(r"^\| (\d) \| (.*?) \|$", PAGE, re.MULTILINE))
    assert list(codes) == ["0", "2", "3", "4", "5"]
    for kind, word in ((Kind.TAMPERED, "Tampered"), (Kind.WRONG_KEY, "another key"), (Kind.UNSIGNED, "Unsigned")):
        assert word in codes[str(int(kind))]
