"""The difference as Markdown, for people who sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERDICTS = {
    "no_reference": "not judged: no reference",
    "no_images": "no images",
    "undecided": "undecided: too few images",
}


def to_markdown(diff: Mapping[str, Any]) -> str:
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
    environment.filters.update(accuracy=accuracy, points=points, verdict=verdict, text=text, number=number)
    return environment.get_template("model_card_diff.md.jinja").render(diff=diff)


def accuracy(subset: Mapping[str, Any] | None) -> str:
    """Format a share with its interval in percent: `87.5 % (80.1–92.4)`."""
    if subset is None or subset["value"] is None:
        return "–"
    low, high = subset["interval"]
    return f"{100 * subset['value']:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def points(subset: Mapping[str, Any]) -> str:
    """Format a difference with its interval in points: `-3.1 (-9.0 to +2.9)`."""
    if subset["value"] is None:
        return "–"
    low, high = subset["interval"]
    return f"{100 * subset['value']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def verdict(word: str) -> str:
    """Format a verdict for reading."""
    return _VERDICTS.get(word, word.replace("_", " "))


def number(value: float | None) -> str:
    """Format a plain number or its absence."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"


def text(value: object) -> str:
    """Make a text safe inside a table subset: specs come from anywhere."""
    plain = " ".join(str(value).split())
    for character in "\\`|<>[]":
        plain = plain.replace(character, "\\" + character)
    return plain
