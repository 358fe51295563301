"""Documents of counts with their small counts suppressed, for readers who may not see small groups.

The counts of a document are connected: parts add up to the readable images, classes to their part, and each step
of the attrition begins where the last one ended. `disclosure.protect` decides by these relations what is shown.
Zeros stay: a zero counts nobody, and everybody should see that no image of a class remains.
Counts within texts (warnings, a sample's size, the length of a patient list) become `…`, however large they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.reports.disclosure import HIDDEN, LEAST, Key, Relation, protect
from monai_unlearn.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Mapping

    Path = tuple[str | int, ...]

_PLAIN_TEXTS = {"name", "reason", "spec", "spec_digest", "index_digest", "classes_emptied", "variants"}
# What a spec itself says: its numbers are not counts.
_OF_THE_SPEC = {"rule", "rules", "changes", "list", "field", "compared"}
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")
# The one count that a predicate's text has: how many values a list has that are not shown (`In.render`).
_LENGTH_OF_LIST = re.compile(r"… \d+ values?\b")


def check_limit(below: int) -> None:
    """Check the limit below which counts are suppressed.

    Raises:
        CohortError: The limit is too small to hide anything.
    """
    if below < LEAST:
        raise CohortError(
            f"--suppress-below: expected at least {LEAST}, got {below}. Below {LEAST}, a suppressed count could only "
            "be 1, and would not be hidden at all."
        )


class Connections:
    """How the counts of a document are connected.

    Attributes:
        places: The name of the count at each path of the document; two places may show one count.
        texts: What is shown instead of the text at a path.
        relations: What is known about the counts.
        differences: Pairs of counts whose difference everybody can compute.
        needed: Which counts are hidden after (above 0) or before (below 0) others.
    """

    def __init__(self) -> None:
        self.places: dict[Path, Key] = {}
        self.texts: dict[Path, str] = {}
        self.relations: list[Relation] = []
        self.differences: list[tuple[Key, Key]] = []
        self.needed: dict[Key, int] = {}

    def matrix(self, path: Path, rows: Mapping[str, Mapping[str, int]]) -> None:
        """Note a table of counts, a mapping of mappings, under its path."""
        for row, cells in rows.items():
            for column in cells:
                place = (*path, row, column)
                self.places[place] = place


def suppressed(document: Mapping[str, Any], connections: Connections, *, below: int) -> dict[str, Any]:
    """Return a document with its small counts suppressed, and without anything that could give them away.

    A number at a path that is not connected is hidden: nothing is known about what it would give away.
    """
    counts = {key: count_at(document, path) for path, key in connections.places.items()}
    shown = protect(
        counts,
        connections.relations,
        below=below,
        differences=connections.differences,
        needed=connections.needed,
    )

    def redraw(value: Any, path: Path) -> Any:  # noqa: ANN401 - a document is any tree of plain values
        if isinstance(value, dict):
            return {key: redraw(child, (*path, key)) for key, child in value.items()}
        if isinstance(value, list | tuple):
            return [redraw(child, (*path, number)) for number, child in enumerate(value)]
        if path in connections.places:
            return shown[connections.places[path]]
        if path in connections.texts:
            return connections.texts[path]
        if isinstance(value, str):
            return _text(value, path)
        is_harmless = value is None or isinstance(value, bool) or value == 0 or path[0] in _OF_THE_SPEC
        return value if is_harmless else HIDDEN

    return {**redraw(dict(document), ()), "suppressed_below": below}


def count_at(document: Any, path: Path) -> int:  # noqa: ANN401 - see above
    """Return the count at a path of a document."""
    for step in path:
        document = document[step]
    return int(document)


def _text(text: str, path: Path) -> str:
    if not _OF_THE_SPEC.isdisjoint(path):
        return without_lengths(text)
    return masked(text) if _PLAIN_TEXTS.isdisjoint(path) else text


def without_lengths(text: str) -> str:
    """Return a text that quotes predicates, without how many values their lists have."""
    return _LENGTH_OF_LIST.sub("… values", text)


def masked(text: str, *, source: str | None = None) -> str:
    """Return a message without its numbers, except those in the name of the file that it is about."""
    if source is None:
        return _NUMBER.sub("…", text)
    return f"{source}: ".join(map(masked, text.split(f"{source}: ")))
