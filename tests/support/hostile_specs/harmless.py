"""Specs that look hostile and are plain data: their texts are only compared with other texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostile_specs.case import Harmless, forget, quoted, spec

if TYPE_CHECKING:
    from pathlib import Path

# Devices of the index that the specs are resolved on: each is found, and nothing else happens.
_DEVICES = {
    "sql-drop": "'; DROP TABLE images; --",
    "sql-tautology": "x' OR '1'='1",
    "sql-quote": "a\"; ATTACH '/tmp/owned.db' AS y; --",
    "sql-read": "read_csv('/etc/passwd')",
    "sql-select": "(SELECT path FROM images LIMIT 1)",
    "sql-comment": "/* x */ --",
    "sql-parameter": "$1 ? :name",
    "sql-like": "%_%",
    "sql-copy": "COPY (SELECT 1) TO '/tmp/owned.csv'",
    "python": "__import__('os').system('id')",
    "format": "{0.__class__} %(x)s %s",
    "jinja": "{{ 7*7 }} {% raw %}",
    "environment": "${HOME} $HOME %PATH% `id` $(id)",
    "shell": "; rm -rf / & | > /tmp/owned",
    "regex": "(a+)+$",
    "script": "<script>alert(1)</script>",
    "markup": "[red]old[/red] [link=http://127.0.0.1]x[/link]",
    "markup-broken": "[/]old[/nothing]",
    "formula": '=HYPERLINK("http://127.0.0.1")',
    "path": "../../etc/passwd",
    "url": "file:///etc/passwd",
    "emoji": "💣👩🏽‍⚕️",
    "right-to-left": "מכשיר",
    "persian": "می‌خواهم",
    "backslashes": "\\\\server\\share\\n",
    "monai": "@network#0::x",
    "word-null": "null",
    "word-and": "and",
    "true": "true",
    "number": "1e999",
    "long": "x" * 5_000,
}


def _in_quotes(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


VALUES = [
    Harmless(
        f"value-{name}", f"text that is code elsewhere: {text[:40]}", forget(f"device == {_in_quotes(text)}"), text
    )
    for name, text in _DEVICES.items()
]

# Without quotes: words up to `and`, a bracket or a comma.
_WORDS = {
    "stacked": "x; DROP TABLE images; --",
    "comment": "x /* so on */",
    "parameter": "?",
    "unit": "5 mm",
    "jinja": "{{ x }}",
    "tilde": "~root",
    "format": "%s",
    "minus": "--",
    "slashes": "C:\\tmp\\x",
    "address": "https://example.org/?x",
}
WORDS = [
    Harmless(f"words-{name}", f"words that are code elsewhere: {text}", forget(f"device == {text}"), text)
    for name, text in _WORDS.items()
]

_YAML = {
    "name-no": (spec(name="no"), "YAML 1.1's false as a name"),
    "name-octal": (spec(name="007"), "an octal number as a name"),
    "name-date": (spec(name="2019-01-01"), "a date as a name"),
    "byte-order-mark": ("\ufeff" + spec(), "a byte-order mark at the beginning"),
    "windows-lines": (spec().replace("\n", "\r\n"), "lines as Windows ends them"),
    "marker": ("---\n" + spec() + "...\n", "markers of beginning and end"),
    "comments": (
        "# _target_: os.system\n# $import os\n" + spec() + "# !!python/name:os.system &a *a\n",
        "code in comments",
    ),
    "json": ('{"schema_version": 1, "name": "x", "reason": "other", "forget": "device == old"}', "JSON"),
    "folded": (spec(forget=">\n  device\n  == old"), "a value over several lines"),
    "literal": (spec(forget="|\n  device == old\n  and not\n  device == new"), "a value over several lines"),
    "escapes": (spec(forget='"\\x64evice == \\u006fld"'), "letters by escapes"),
    "groups": (spec(forget="{any: [" * 12 + "device == old" + "]}" * 12), "groups in one another"),
    "spaces": (spec(forget="device == old" + " " * 200_000), "many spaces"),
    "comment-200-kb": (spec() + "#" * 200_000, "a long comment"),
    "1000-rules": (spec(forget="{any: [" + "device == old, " * 1_000 + "]}"), "a thousand rules"),
    "parentheses": (forget("(" * 4_000 + "device == old" + ")" * 4_000), "parentheses in one another"),
    "550-terms": (forget(" or ".join(["device == old"] * 550)), "many terms in one predicate"),
}
YAML = [Harmless(f"yaml-{name}", looks, text) for name, (text, looks) in _YAML.items()]

# RE2 has no catastrophic backtracking: time grows with the text, not with the pattern's ways.
_PATTERNS = {
    "nested-repeats": "/^(o|l|d)+$/",
    "catastrophic": "/(a+)+$|^old$/",
    "catastrophic-2": "/^(([a-z])+.)+[A-Z]([a-z])+$|^old$/",
    "overlapping": "/^(a|a)*b$|^old$/",
    "optional": "/" + "a?" * 500 + "a" * 500 + "|^old$/",
    "case": "/^OLD$/i",
    "deep": "/" + "(" * 2_000 + "^old$" + ")" * 2_000 + "/",
}
PATTERNS = [
    Harmless(f"pattern-{name}", f"a pattern that other engines choke on: {text[:40]}", forget(f"device matches {text}"))
    for name, text in _PATTERNS.items()
]


def _lists(folder: Path) -> None:
    (folder / "devices.txt").write_text("'; DROP TABLE patients; --\nold\n", encoding="utf-8")
    (folder / "devices.csv").write_text('device,note\nold,"=1+1"\n', encoding="utf-8")
    (folder / "sub").mkdir()
    (folder / "sub" / "devices.txt").write_text("old\n", encoding="utf-8")
    (folder / "link.txt").symlink_to("devices.txt")


_SETS = {
    "file": "{file: devices.txt}",
    "folder": "{file: sub/devices.txt}",
    "dot": "{file: ./devices.txt}",
    "table": "{file: devices.csv, column: device}",
    "link": "{file: link.txt}",
    "inline": "[old, '; DROP TABLE patients', \"x' OR 1=1\"]",
}
SETS = [
    Harmless(
        f"set-{name}",
        f"the value set {text}",
        spec(forget="device in @devices", value_sets=f"{{devices: {text}}}"),
        beside=_lists,
    )
    for name, text in _SETS.items()
]
QUOTED_KEY = Harmless(
    "yaml-quoted",
    "keys and values in quotes",
    "\n".join(f"{quoted(line.split(': ')[0])}: {line.split(': ')[1]}" for line in spec().splitlines()),
)

HARMLESS = [*VALUES, *WORDS, *YAML, QUOTED_KEY, *PATTERNS, *SETS]
