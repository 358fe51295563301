"""What the metadata of a bundle say of its model, in the words of the people who made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS = (
    "task",
    "description",
    "authors",
    "copyright",
    "intended_use",
    "data_source",
    "data_type",
    "image_classes",
    "label_classes",
    "pred_classes",
)
"""Keys of `configs/metadata.json`, as MONAI's schema knows them."""


def bundle_facts(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the texts of a bundle's metadata, null where there is none, and its `references`.

    >>> facts = bundle_facts({"task": "Reading", "references": ["A paper"], "version": "1.0.0"})
    >>> facts["task"], facts["authors"], facts["references"]
    ('Reading', None, ['A paper'])
    """
    facts: dict[str, Any] = {name: _text(metadata.get(name)) for name in TEXTS}
    references = metadata.get("references")
    return {**facts, "references": [str(one) for one in references] if isinstance(references, list) else []}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
