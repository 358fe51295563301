"""The files that a run writes of a difference, each with the function that renders it from the difference alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monai_unlearn.card.chai import to_chai
from monai_unlearn.card.gaps import to_gaps
from monai_unlearn.card.html import to_html
from monai_unlearn.card.hugging_face import to_hugging_face
from monai_unlearn.card.markdown import to_markdown
from monai_unlearn.terminal import json_text

Renderer = Callable[[Mapping[str, Any]], str]


def to_json(diff: Mapping[str, Any]) -> str:
    """Return the difference as indented JSON with a final newline."""
    return json_text(diff) + "\n"


# One name, and a suffix for each: a later revision keeps them all under that name with the version behind it.
RENDERERS: Mapping[str, Renderer] = {
    "model_card_diff.json": to_json,
    "model_card_diff.md": to_markdown,
    "model_card_diff.html": to_html,
    "model_card_diff.xml": to_chai,
    "model_card_diff.yaml": to_hugging_face,
    "model_card_diff.txt": to_gaps,
}
