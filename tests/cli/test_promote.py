from __future__ import annotations

import json

import pytest
from release_example import write_keys, write_release
from typer.testing import CliRunner

from monai_unlearn.cli import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    write_keys(folder)
    for version in ("1.1.0", "1.2.0"):
        write_release(folder / version, version=version)
        assert run(folder, "sign", folder / version).exit_code == 0
    write_release(folder / "unsigned", version="1.3.0")
    return folder


def run(folder, *words):
    given = [*words, "--store", folder / "store", "--key", folder / "key.pem"]
    return CliRunner().invoke(app, [str(word) for word in given])


def test_promote_reject_and_roll_back(folder):
    done = run(folder, "promote", folder / "1.1.0", "--public-key", folder / "key.pub", "--who", "lead")
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"Deployed Some 1.1.0: {folder / 'store' / 'current'}\n")
    document = json.loads(run(folder, "promote", folder / "1.2.0", "--json").stdout)
    assert (document["event"], document["version"], document["verdict"]) == ("promote", "1.2.0", "erased")
    done = run(folder, "promote", folder / "unsigned")
    assert done.exit_code == 3
    assert "unsigned.sig: there is no signature." in done.output
    assert run(folder, "promote", folder / "unsigned", "--override").exit_code == 2
    done = run(folder, "promote", folder / "unsigned", "--override", "--why", "urgent")
    assert done.exit_code == 0
    assert "Against it, as the ledger notes:\n  bundle.sig: there is no signature.\n" in done.output
    assert "Rejected Some 1.3.0." in run(folder, "reject", folder / "unsigned", "--why", "after all").output
    assert run(folder, "reject", folder / "unsigned").exit_code == 2
    assert "Deployed Some 1.2.0 again" in run(folder, "rollback", "--why", "worse").output
    assert json.loads((folder / "store" / "current" / "configs" / "metadata.json").read_text())["version"] == "1.2.0"
    done = CliRunner().invoke(app, ["ledger", "show", str(folder / "store"), "--json"])
    assert [line["event"] for line in json.loads(done.stdout)["lines"]] == [
        "sign",
        "sign",
        "promote",
        "promote",
        "promote",
        "reject",
        "rollback",
    ]
