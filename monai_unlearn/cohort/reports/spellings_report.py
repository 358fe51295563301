"""Print how a spec compares texts, and which other spellings of its values an index has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from monai_unlearn.cohort.typing.compared import WORDS
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.folding import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.console import Console


def show_spellings(found: Mapping[str, Any], console: Console) -> None:
    """Print the parts `compared` and `variants` of a preview or an explanation.

    Comparisons are left out where folded and exact texts cannot differ.
    """
    for line in (*_compared(found["compared"]), *_variants(found["variants"] or ())):
        console.print(Text(line))


def _compared(parts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for part in parts:
        if part["matters"]:
            values = part["values"]
            listed = (
                "values that are not shown" if values is None else ", ".join(f"“{visible(value)}”" for value in values)
            )
            yield f"Compared {WORDS[part['how']]}: {part['field']} with {listed}."


def _variants(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        listed = ", ".join(
            f"“{visible(text)}” ({counted(images, 'image')}, {'' if text in entry['caught'] else 'not '}taken as equal)"
            for text, images in entry["variants"].items()
        )
        yield f"Other spellings of “{visible(entry['value'])}” ({entry['field']}): {listed}."
