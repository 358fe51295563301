from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from monai_unlearn.terminal import escaped, escaping_console, json_text, say

PACKAGE = Path(__file__).parents[1] / "monai_unlearn"
HOSTILE = ["\x1b[31mred", "\x1b]0;title\x07", "\x9b2J", "a\rb", "\u202egnp.exe", "\udc80", "\x00", "\x7f", "\u2028"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_steers_a_terminal_is_escaped(text):
    shown = escaped(text)
    assert shown.isprintable()
    assert shown.encode("unicode_escape").decode().replace("\\\\", "\\") == text.encode(
        "unicode_escape", "surrogatepass"
    ).decode().replace("\\r", "\\x0d")


@pytest.mark.parametrize("text", ["plain", "a\tb\nc", "äßé 日本 עברית", "[bold]", "👁️‍🗨️"])
def test_other_texts_stay_as_they_are(text):
    assert escaped(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_json_says_the_same_without_the_characters(text):
    shown = json_text({text: [text]})
    assert shown.replace("\n", "").isprintable()
    assert json.loads(shown) == {text: [text]}


@pytest.mark.parametrize("text", HOSTILE)
def test_printers_escape(text, capsys):
    stream = io.StringIO()
    printer = escaping_console(file=stream, force_terminal=False, width=80)
    table = Table(title=Text(text))
    table.add_column(Text(text))
    table.add_row(Text(text))
    for shown in (text, Text(text), table):
        printer.print(shown, markup=False)
    with Progress(console=printer) as progress:
        progress.add_task("x", total=1)
    say(text, text)
    say(text, err=True)
    printed = capsys.readouterr()
    for found in (stream.getvalue(), printed.out, printed.err):
        assert found.replace("\n", "").isprintable()


def test_colours_of_our_own_stay():
    stream = io.StringIO()
    escaping_console(file=stream, force_terminal=True, color_system="standard").print(Text("a\x1b[0mb", style="red"))
    assert stream.getvalue() == "\x1b[31ma\\x1b[0mb\x1b[0m\n"


def test_every_printer_goes_through_here():
    direct = re.compile(
        r"(?<![.\w])print\(|typer\.echo\(|click\.echo\(|(?<!def )\bConsole\(|sys\.std(?:out|err)\.write"
    )
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name != "terminal.py":
            lines = path.read_text(encoding="utf-8").splitlines()
            found += [
                f"{path.name}:{number}"
                for number, line in enumerate(lines, 1)
                if direct.search(line) and not line.lstrip().startswith((">>>", "...", "#"))
            ]
    # An example in the docstring of `Revision` prints.
    assert [place for place in found if not place.startswith("revision.py")] == []
