"""How a bundle, or the difference of two, is printed: `html`, `md`, `json`, `chai`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from monai_unlearn.card.applied_card import AppliedCard, KeyMetric
from monai_unlearn.card.bundles.tables import bundle_tables, difference_tables
from monai_unlearn.card.markdown import text
from monai_unlearn.terminal import escaped, json_text
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from monai_unlearn.card.html.table import Table

Document = Mapping[str, Any]
FORMATS = ("md", "html", "json", "chai")


def difference_as(kind: str, document: Document) -> str:
    """Render what `compare_bundles` returns.

    Args:
        kind: One of `FORMATS`.
        document: The difference.
    """
    old, new = document["old"], document["new"]
    title = f"{_named(old)} → {_named(new)}"
    count = len(document["material"])
    line = f"{counted(count, 'material change')}." if count else "No material change."
    return _RENDERERS[kind](document, title, line, difference_tables(document))


def bundle_as(kind: str, document: Document) -> str:
    """Render what `read_bundle` returns.

    Args:
        kind: One of `FORMATS`.
        document: The bundle.
    """
    line = str(document["metadata"].get("description") or "A MONAI bundle.")
    return _RENDERERS[kind](document, _named(document["identity"]), line, bundle_tables(document))


def _named(identity: Document) -> str:
    return f"{identity['name'] or 'A bundle'} {identity['version'] or 'without version'}"


def _markdown(_: Document, title: str, line: str, tables: Iterable[Table]) -> str:
    parts = [f"# {text(title)}\n\n{text(line)}\n"]
    for table in tables:
        if table.rows:
            rows = ["| " + " | ".join(text(cell.text) for cell in row) + " |" for row in table.rows]
            rule = ["---" if table.is_text(column) else "---:" for column in range(len(table.headings))]
            head = [f"| {' | '.join(table.headings)} |", f"| {' | '.join(rule)} |"]
            parts.append("\n".join([f"## {text(table.caption)}\n", *head, *rows]) + "\n")
    return escaped("\n".join(parts))


def _html(_: Document, title: str, line: str, tables: Iterable[Table]) -> str:
    environment = Environment(
        loader=PackageLoader("monai_unlearn.card.html", "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page = environment.get_template("bundles.html.jinja")
    return escaped(page.render(title=title, line=line, tables=[table for table in tables if table.rows]))


def _json(document: Document, *_: object) -> str:
    return json_text(document) + "\n"


def _chai(document: Document, title: str, line: str, _: Iterable[Table]) -> str:
    """Return what the metadata say as an applied model card; a difference is the change of its release."""
    identity = document.get("identity") if "new" not in document else document["new"]
    found = identity if isinstance(identity, Mapping) else {}
    material = " ".join(one["text"] for one in document.get("material", ()))
    release = f"{found.get('version')}. {line} {material}".strip()
    goal = KeyMetric(goal="To be filled in: the aim.")
    metrics = document["metrics"]
    known = {one["path"].lstrip("/"): one["new"] for one in metrics} if isinstance(metrics, list) else metrics
    results = [(str(name), float(value), "") for name, value in known.items() if isinstance(value, int | float)]
    return AppliedCard(
        texts={
            "ModelName": str(found.get("name") or title),
            "ModelDeveloper": found.get("authors"),
            "ReleaseVersion": release,
            "Summary": found.get("task"),
            "IntendedUseAndWorkflow": found.get("intended_use"),
            "KnownRisksAndLimitations": material or None,
        },
        usefulness=KeyMetric(goal="To be filled in: the aim.", results=results),
        fairness=goal,
        safety=goal,
    ).to_xml()


_RENDERERS: Mapping[str, Callable[[Document, str, str, Iterable[Table]], str]] = {
    "md": _markdown,
    "html": _html,
    "json": _json,
    "chai": _chai,
}
