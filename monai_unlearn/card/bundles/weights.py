"""The weights of two bundles: which files changed, and by how much each layer moved."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from monai_unlearn.safe_path import module_command, safe_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROGRAM = "monai_unlearn.card.bundles.layer_process"
TENSORS = (".pt", ".pth")
SECONDS = 600


def compare_weights(old: Path, new: Path, files: tuple[Mapping[str, Any], Mapping[str, Any]]) -> dict[str, Any]:
    """Compare the files of weights of two bundles.

    Args:
        old: The folder of the bundle before.
        new: That of the bundle after.
        files: Of each, what `read_bundle` says of its weights.

    Returns:
        By path: `status` (`same`, `changed`, `added`, `removed`); of a changed file of tensors also `layers`, `added`
        and `removed` of `layer_changes`, or `why` they are not known.
    """
    before, after = files
    return {path: _of_file(old, new, path, before.get(path), after.get(path)) for path in sorted({*before, *after})}


def _of_file(
    old: Path, new: Path, path: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[str, Any]:
    if before is None or after is None:
        return {"status": "added" if before is None else "removed"}
    if before["sha256"] == after["sha256"]:
        return {"status": "same"}
    if not path.endswith(TENSORS):
        return {"status": "changed", "why": "not a file of tensors: it is compared by its digest"}
    return {"status": "changed", **_layers(old / path, new / path)}


def _layers(old: Path, new: Path) -> dict[str, Any]:
    """Run the program that may load torch."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and a module of this package
            module_command(PROGRAM, str(old.resolve()), str(new.resolve()), folder=old.parent),
            capture_output=True,
            text=True,
            check=False,
            env=safe_environment(),
            timeout=SECONDS,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        return {"why": f"the layers could not be compared ({type(error).__name__})"}
    return found
