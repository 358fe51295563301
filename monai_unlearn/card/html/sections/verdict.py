"""The verdict strip: what to do, why in one sentence, and who signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.html.sections.section import Section
from monai_unlearn.card.wording import ACTIONS, REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARKS = {"deploy_revised": "✓", "deploy_retrained": "↻", "do_not_deploy": "✕", "not_known": "?"}
SIGNERS = ("Clinical lead", "Responsible for the model", "Data protection")
"""Who signs, as the blank lines suggest it."""


def view(diff: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the strip shows."""
    action, asked = diff["advice"]["action"], diff["modification"]["cohort"]["asked"]
    return {
        "action": action,
        "mark": _MARKS[action],
        "title": ACTIONS[action],
        "sentence": diff["advice"]["sentence"],
        "line": diff["decision"]["line"],
        "reason": REASONS[diff["modification"]["reason"]],
        "cohort": diff["modification"]["cohort"],
        "asked": asked["forget"],
        "signers": SIGNERS,
        "description": diff["bundle"].get("description"),
    }


VERDICT = Section(name="verdict", title="What to do", view=view)
