"""Previews of requests, each in a process of its own: nothing that a stranger wrote can end or hold up the service."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import monai_unlearn
from monai_unlearn.safe_path import module_command, safe_environment

if TYPE_CHECKING:
    from monai_unlearn.watch.plan import WatchPlan

SECONDS = 600
_ROOT = Path(monai_unlearn.__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a preview found.

    Attributes:
        document: What `cohort preview --json` prints; None where it refused.
        refused: Why it refused; None where it did not.
    """

    document: dict[str, Any] | None = None
    refused: str | None = None


def preview(spec: Path, plan: WatchPlan, *, seconds: float = SECONDS) -> Preview:
    """Preview a spec: counts alone, nothing of a single patient.

    Args:
        spec: The spec.
        plan: Whose index, and whose key of pseudonyms.
        seconds: How long it may take.
    """
    words = ["cohort", "preview", str(spec), "--index", str(plan.index), "--json"]
    words += ["--keyfile", str(plan.keyfile)] if plan.keyfile else []
    words += ["--trust"] if plan.trust_index else []
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and a module of this package
            module_command("monai_unlearn", *words, folder=_ROOT),
            capture_output=True,
            text=True,
            check=False,
            env=safe_environment(),
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return Preview(refused=f"Its preview took longer than {seconds:g} seconds.")
    try:
        document = json.loads(done.stdout)
    except ValueError:
        document = {}
    if done.returncode == 0 and isinstance(document, dict) and "images" in document:
        return Preview(document=document)
    error = document.get("error") if isinstance(document, dict) else None
    message = str(error["message"]) if isinstance(error, dict) and "message" in error else "it printed no document."
    return Preview(refused=f"Its preview ended with exit code {done.returncode}: {message}")
