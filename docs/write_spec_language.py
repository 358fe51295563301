"""Write `spec_language.md`: prose from its template, examples from the tables in `tests/spec/`, which tests check."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

from page import write_page

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "spec_language.md"
TEMPLATE = TARGET.with_suffix(".template")
# In the order of the page.
CHAPTERS = (
    "comparisons",
    "lists",
    "sets",
    "texts",
    "numbers",
    "dates",
    "statistics",
    "presence",
    "logic",
    "aliases",
    "tags",
    "patients",
)


def document() -> str:
    """Return the page."""
    from monai_unlearn.cohort.language.functions import FUNCTIONS, Statistic
    from monai_unlearn.vocabulary.fields import vocabulary
    from monai_unlearn.vocabulary.placeholders import placeholders

    statistics = [one for one in FUNCTIONS.values() if isinstance(one, Statistic)]
    aliases = [f"| `{alias}` | {', '.join(names)} |" for alias, names in vocabulary().aliases.items()]
    filled = {
        "functions": ", ".join(f"`{name}(…)`" for name in FUNCTIONS),
        "statistics": "\n".join(f"- `{one.name}`: {one.meaning}." for one in statistics),
        "aliases": "\n".join(["| alias | keywords |", "| --- | --- |", *aliases]),
        "placeholders": textwrap.indent(textwrap.fill(", ".join(sorted(placeholders().words)), 117), "  "),
        "tables": "\n".join(_chapter(ROOT / "tests" / "spec" / f"test_{name}.py") for name in CHAPTERS),
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, content in filled.items():
        text = text.replace(f"<!-- {name} -->", content)
    return text.rstrip() + "\n"


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
    """Return the name of the test that uses a table, as a sentence."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and any(table in ast.unparse(item) for item in node.decorator_list):
            words = node.name.removeprefix("test_").replace("_", " ").replace(" nan ", " NaN ")
            return f"{words[0].upper()}{words[1:]}."
    return ""


def _section(sentence: str, text: str) -> list[str]:
    blocks = [block.strip().splitlines() for block in text.strip().split("\n\n")]
    return [f"{sentence}\n", *map(_table, blocks)]


def _table(lines: list[str]) -> str:
    """Return a table: a predicate, before it a key of the spec where there is one, and a row per image."""
    predicate = "\n".join(line for line in lines if not line.startswith("|"))
    rows = [line for line in lines if line.startswith("|")]
    cells = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows]
    head, *body = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([f"```\n{predicate}\n```\n", head, "|" + " --- |" * len(cells[0]), *body, ""])


if __name__ == "__main__":
    write_page(TARGET, document)
