"""Writes `spec_language.md` from the tables in `tests/spec/`: what the documentation says is what the tests check."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "spec_language.md"
# In the order in which a reader meets them.
CHAPTERS = ("comparisons", "lists", "sets", "texts", "numbers", "dates", "statistics", "presence", "logic", "aliases")
INTRODUCTION = """\
# The predicate language of cohort specs

Written by `docs/write_spec_language.py` from the tables in `tests/spec/`, which are resolved on real indexes in
the tests. Do not edit it: edit the tables.

A predicate asks something of an image, and the answer is true, false, or unknown where a value is missing. True
means **forget**, false **remain**, unknown **undetermined** (`-` is a missing value). On the left stands a *term*: a
field, or a number made of fields. On the right stands what it is compared with, without quotes unless it holds
brackets, quotes, signs such as `=`, or the words *and*, *or*, *not*. Upper and lower case count, except after `~=`.

| written | asks |
| --- | --- |
| `field == value`, `!=`, `~=` | is it the value; is it not; is it, in upper or lower case |
| `term < value`, `<=`, `>`, `>=` | numbers, ages in years, and dates have an order |
| `field in [a, b]`, `not in` | is it one of these |
| `field in @name` | is it one of the values under `value_sets` |
| `term between a and b` | both ends included |
| `field contains text` | does the text stand in it |
| `field matches /re/`, `/re/i` | does a regular expression (RE2) fit somewhere in it |
| `date within 30 days of 2018-06-15` | also `before`, `after`; weeks; another date field; `@name` |
| `exists(field)`, `missing(field)` | never unknown |
| `and`, `or`, `not`, `( )` | Kleene's logic of three values |

Terms: `a + b`, `-`, `*`, `/`, {functions}. A cohort statistic may go on with `by (field, …)`. `any(field)` and
`all(field)` say how many values of a DICOM tag with several must pass; without them one is enough.

Regular expressions run in RE2, whose time grows with the length of the text alone. A unit behind a number is
converted to the unit that the field declares, or refused.
"""


def main() -> int:
    """Write the document; with `--check`, only tell whether it is up to date."""
    text = document()
    if "--check" in sys.argv:
        return int(not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != text)
    TARGET.write_text(text, encoding="utf-8")
    return 0


def document() -> str:
    """Return the document."""
    from monai_unlearn.cohort.language.functions import FUNCTIONS, Statistic

    names = ", ".join(f"`{name}(…)`" for name in FUNCTIONS)
    meanings = [
        f"- `{function.name}`: {function.meaning}."
        for function in FUNCTIONS.values()
        if isinstance(function, Statistic)
    ]
    parts = [INTRODUCTION.format(functions=names), "What the cohort statistics say:\n\n" + "\n".join(meanings) + "\n"]
    parts += [_chapter(ROOT / "tests" / "spec" / f"test_{name}.py") for name in CHAPTERS]
    return "\n".join(parts)


def _chapter(path: Path) -> str:
    module = ast.parse(path.read_text(encoding="utf-8"))
    title = (ast.get_docstring(module) or path.stem).splitlines()[0].rstrip(".")
    tables = {
        target.id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }
    sections = [section for name, text in tables.items() for section in _section(_sentence(module, name), text)]
    return "\n".join([f"## {title}\n", *sections])


def _sentence(module: ast.Module, table: str) -> str:
    """Return what the test that reads a table is called, as a sentence."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and any(table in ast.unparse(item) for item in node.decorator_list):
            words = node.name.removeprefix("test_").replace("_s_", "'s ").replace("_", " ")
            return f"{words[0].upper()}{words[1:]}."
    return ""


def _section(sentence: str, text: str) -> list[str]:
    blocks = [block.strip().splitlines() for block in text.strip().split("\n\n")]
    return [f"{sentence}\n", *(_table(predicate, rows) for predicate, *rows in blocks)]


def _table(predicate: str, rows: list[str]) -> str:
    cells = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows]
    head, *body = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([f"```\n{predicate}\n```\n", head, "|" + " --- |" * len(cells[0]), *body, ""])


if __name__ == "__main__":
    sys.exit(main())
