from __future__ import annotations

import pytest
from typer.testing import CliRunner

from monai_unlearn.cli import app


@pytest.mark.parametrize("command", ["promote", "reject", "rollback", "sign"])
def test_commands_that_write_to_the_ledger_say_who_and_why(command):
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    for option in ("--store", "--who", "--why", "--key"):
        assert option in shown
