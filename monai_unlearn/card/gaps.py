"""What people must fill in before a card is complete, with room to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.fields import FIELDS, gaps
from monai_unlearn.card.markdown import text
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.card.fields import Field


def to_gaps(diff: Mapping[str, Any]) -> str:
    """Render the fields that the difference has nothing for, and who asks for each."""
    missing = gaps(diff)
    lines = [
        f"# To be filled in: {text(diff['base']['name'])} {diff['revised']['version']}",
        "",
        f"{len(FIELDS) - len(missing)} of {len(FIELDS)} fields that regulators ask for are on the card.",
        f"People must add the other {len(missing)}.",
        "",
    ]
    for field in missing:
        lines += [f"## {field.name}", "", *_asked_by(field), "", "_" * 40, ""]
    return escaped("\n".join(lines).rstrip() + "\n")


def _asked_by(field: Field) -> Iterator[str]:
    yield from (
        f"- {name}: {asked}"
        for name, asked in (
            ("FDA PCCP", field.pccp),
            ("EU AI Act, Annex IV", field.ai_act),
            ("ONC HTI-1, source attribute", field.hti1),
        )
        if asked
    )
