"""The difference as short Markdown: what to do, three tables, and where the rest is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from monai_unlearn.card.wording import (
    ACTIONS,
    QUIET,
    choice,
    difference,
    estimate,
    judged,
    measure,
    networks_range,
    share,
    subset_words,
    target,
    title,
    words,
)
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]

_MEASURES = ("accuracy", "sensitivity", "specificity", "false_negatives")
_FILTERS = {
    "choice": choice,
    "difference": difference,
    "estimate": estimate,
    "judged": judged,
    "measure": measure,
    "share": share,
    "subset": subset_words,
    "title": title,
    "words": words,
}


def to_markdown(diff: Document) -> str:
    """Render a difference that `build_diff` made."""
    environment = Environment(
        loader=PackageLoader("monai_unlearn.card", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown, not HTML: what could break it is escaped by `text` below.
        autoescape=False,  # noqa: S701
    )
    environment.filters.update(_FILTERS, text=text)
    decision = diff["decision"]
    rendered = environment.get_template("markdown.md.jinja").render(
        diff=diff,
        action=ACTIONS[diff["advice"]["action"]],
        cohort=diff["modification"]["cohort"],
        # What was declared more leniently stands in the line of the verdict already.
        warnings=[*(note for note in decision["notes"] if note not in decision["line"]), *diff["warnings"]],
        match=decision["declared"]["objective"] == "match_reference",
        forgot=list(_forgot(diff)),
        patients=list(_patients(diff)),
        judged=[row for row in decision["endpoints"] if not row["guard"] or row["status"] not in QUIET],
        target=target(decision, diff["basis"]),
    )
    return escaped(rendered)


def _forgot(diff: Document) -> Iterator[dict[str, Any]]:
    for row in diff["true_class"]:
        if row["subset"] in ("forget_train", "forget_test"):
            found = {one["role"]: one for one in row["networks"]}
            yield {
                **row,
                "original": found["original"],
                "revised": found["revised"],
                "retrained": networks_range([one for one in row["networks"] if one["role"] == "reference"]),
            }


def _patients(diff: Document) -> Iterator[Document]:
    for row in diff["metrics"]:
        place = (row["part"], row["split"])
        if place == ("remain", "test") and row["metric"] in _MEASURES and row["before"]["value"] is not None:
            yield row


def text(value: object) -> str:
    """Make a text safe inside a cell of a table: specs come from anywhere."""
    plain = " ".join(str(value).split())
    for character in "\\`|<>[]":
        plain = plain.replace(character, "\\" + character)
    return plain
