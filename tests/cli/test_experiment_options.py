from __future__ import annotations

import pytest
from typer.main import get_command

from monai_unlearn.cli import app
from monai_unlearn.cli.experiment_options import progress_bar, show_table


@pytest.mark.parametrize("option", ["--index", "--out", "--fix", "--trust", "--json"])
def test_both_commands_say_the_same_of_an_option(option):
    commands = get_command(app).commands
    helps = {
        parameter.help
        for name in ("sweep", "rehearse")
        for parameter in commands[name].params
        if option in parameter.opts
    }
    assert len(helps) == 1


def test_the_bar_says_what_is_going_on(capsys):
    with progress_bar("Rehearsing") as advance:
        advance("cohort 1 of 2", 1, 2)
        advance("", 2, 2)
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "Rehearsing" in shown


def test_a_table_shows_what_could_steer_a_terminal_escaped(capsys):
    show_table(["a"], [["\x1b[2J"]])
    assert "\x1b[2J" not in capsys.readouterr().out
