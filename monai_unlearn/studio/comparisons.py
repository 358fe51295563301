"""Comparisons of methods in the studio's folders, as `monai-unlearn compare` wrote them: tables and plots."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.table import Table, cells
from monai_unlearn.errors import InputError
from monai_unlearn.experiments.comparison_plots import plots
from monai_unlearn.experiments.comparison_report import EXPLAINED, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monai_unlearn.studio.studio import Studio

FOLDER = "comparisons"
_DOCUMENT = "compare.json"
# It may be half written yet, or of another version: the rest of the page is worth showing without it.
_UNREADABLE = (OSError, KeyError, TypeError, ValueError, AttributeError, IndexError)


def comparisons(studio: Studio) -> list[dict[str, Any]]:
    """Return the comparisons: of each, `table`, `said`, and its `plots` by name with their words."""
    found = []
    for number, path in enumerate(_paths(studio)):
        try:
            headings, rows = table(_read(path))
            drawn = _drawn(path, path.stat().st_mtime_ns)
        except _UNREADABLE:
            continue
        shown = Table(
            caption=f"Comparison of methods: {path.parent.name}",
            headings=headings,
            rows=[cells(*row) for row in rows],
            texts=len(headings),
        )
        words = {name: name.removesuffix(".svg").replace("-", " ") for name in drawn}
        found.append({"number": number, "table": shown, "said": EXPLAINED, "plots": words})
    return found


def comparison_plot(studio: Studio, number: str, name: str) -> str:
    """Return a plot of a comparison, as SVG, drawn from its figures: a file of the folder is shown by no page.

    Raises:
        InputError: There is no such plot.
    """
    paths = dict(enumerate(_paths(studio)))
    path = paths.get(int(number)) if number.isdecimal() else None
    try:
        if path is not None:
            return _drawn(path, path.stat().st_mtime_ns)[name]
    except _UNREADABLE:
        pass
    raise InputError("there is no such plot here: reload the page Evidence.")


def _paths(studio: Studio) -> Iterator[Path]:
    for folder in (studio.workspace.root / FOLDER, studio.settings.bundle):
        if folder is not None and folder.is_dir():
            yield from sorted(folder.glob(f"**/{_DOCUMENT}"))


@lru_cache(maxsize=8)
def _drawn(path: Path, _changed: int) -> dict[str, str]:
    return plots(_read(path))


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
