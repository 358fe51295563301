"""Render every table and figure of measured figures from the committed results, and check the figures in prose.

    python scripts/render_tables.py            # write
    python scripts/render_tables.py --check    # write nothing; end with 1 where something differs

A document marks a table with `<!-- table: NAME -->` and `<!-- end -->`; `document_tables.py` has the names.
`figures.yaml` lists sentences of documents with the results that their figures come from.
"""

from __future__ import annotations

import argparse
import re
import string
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import measured
import yaml
from document_tables import TABLES
from measured import ROOT, result
from readme_figure import figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

import audit_pages
import case_tables
import psg_tables

RESULTS = ROOT / "benchmarks" / "results"
FIGURE = ROOT / "docs" / "forgetting.svg"
FIGURES = Path(__file__).with_name("figures.yaml")
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "bundles").glob("*/docs/README.md")),
]
# Pages that are rendered whole.
PAGES: dict[str, Callable[[dict[str, Any]], str]] = {
    "audit_tables": audit_pages.page,
    "psg_choices": psg_tables.choices_page,
    "psg_quality": psg_tables.quality_page,
    **{path.stem: case_tables.page for path in sorted(RESULTS.glob("verdicts_*.json"))},
}
MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


class Figures(string.Formatter):
    """Fills figures into a sentence: `{index_speed[claims][times the loop][found]:.1f}`.

    A name is the file of a result, or a function of `measured`: `{odir(truncated)[psg][forget_test].mean:.1f}`. The
    format `.1p` shows a share in percent, and `distance` a gap without its sign.
    """

    def get_value(self, key: int | str, args: object, kwargs: object) -> object:  # noqa: ARG002 - as the base class
        name, _, argument = str(key).rstrip(")").partition("(")
        if hasattr(measured, name):
            return getattr(measured, name)(*([argument] if argument else []))
        return result(name)

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - whatever a result holds
        if format_spec == "distance":
            return f"{abs(value):.1f}"
        if format_spec.endswith("p"):
            return f"{100 * value:{format_spec[:-1]}f}"
        return str(super().format_field(value, format_spec))


def rendered(text: str) -> str:
    """Return a document with all its tables rendered.

    Raises:
        KeyError: A table has a name that `document_tables.py` has not.
    """

    def table(found: re.Match[str]) -> str:
        return f"{found[1]}\n" + "\n".join(TABLES[found[2]]()) + f"\n\n{found[3]}"

    return MARKED.sub(table, text)


def files() -> Iterator[tuple[Path, str]]:
    """Yield every file that holds rendered figures, with the text that it should have."""
    for name, page in PAGES.items():
        yield RESULTS / f"{name}.md", page(result(name))
    for document in DOCUMENTS:
        yield document, rendered(document.read_text(encoding="utf-8"))
    yield FIGURE, figure()


def sentences() -> dict[str, list[str]]:
    """Return the sentences of each document that hold figures, filled in from the results."""
    listed: dict[str, list[str]] = yaml.safe_load(FIGURES.read_text(encoding="utf-8"))
    return {document: [Figures().format(sentence) for sentence in found] for document, found in listed.items()}


def wrong_sentences(document: str, expected: list[str]) -> list[str]:
    """Return the sentences that a document should have and has not; line breaks do not matter."""
    text = " ".join((ROOT / document).read_text(encoding="utf-8").split())
    return [sentence for sentence in expected if " ".join(sentence.split()) not in text]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where something differs")
    options = parser.parse_args()
    stale = [(path, text) for path, text in files() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        print(f"{path.relative_to(ROOT)}: {'differs' if options.check else 'written'}")
        if not options.check:
            path.write_text(text, encoding="utf-8")
    wrong = [f"{name}: {line}" for name, found in sentences().items() for line in wrong_sentences(name, found)]
    for line in wrong:
        print(f"expected in {line}")
    sys.exit(1 if wrong or (stale and options.check) else 0)


if __name__ == "__main__":
    main()
