"""The difference between any two bundles as one document, with a JSON patch (RFC 6902)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonpatch

from monai_unlearn.card.bundles.material import material
from monai_unlearn.card.bundles.read import read_bundle
from monai_unlearn.card.bundles.weights import compare_weights

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Document = Mapping[str, Any]


def compare_bundles(old: Path, new: Path) -> dict[str, Any]:
    """Compare two bundles.

    Returns:
        `old` and `new` (their identities); `identity`, `metadata`, `labels`, `metrics` and `downloads` as lists of
        `{"path", "old", "new"}`; `configs` by file with `status`, `changes` and `patch`, `scripts` by path with
        `status`; `weights` of `compare_weights`; `verdict` of both; `material` of `material`; and `patch`: the
        operations of RFC 6902 that make what `read_bundle` returns of the old bundle what it returns of the new one.

    Raises:
        ConfigError: A folder is no bundle.
    """
    before, after = read_bundle(old), read_bundle(new)
    named = ("metadata", "labels", "metrics", "downloads")
    return {
        "schema_version": 1,
        "old": before["identity"],
        "new": after["identity"],
        "identity": _changes(before["identity"], after["identity"]),
        **{name: _changes(before[name], after[name]) for name in named},
        "configs": {
            name: _config(before["configs"].get(name), after["configs"].get(name))
            for name in sorted({*before["configs"], *after["configs"]})
        },
        "scripts": {
            name: {"status": _status(before["scripts"].get(name), after["scripts"].get(name))}
            for name in sorted({*before["scripts"], *after["scripts"]})
        },
        "weights": compare_weights(old, new, (before["weights"], after["weights"])),
        "verdict": {"old": before["verdict"], "new": after["verdict"]},
        "material": material(before, after),
        "patch": jsonpatch.make_patch(before, after).patch,
    }


def _changes(old: Any, new: Any, path: str = "") -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """Return what differs, by path, down to the values that are no mappings."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = list(dict.fromkeys([*old, *new]))
        return [
            one
            for name in names
            for one in _changes(
                old.get(name), new.get(name), f"{path}/{str(name).replace('~', '~0').replace('/', '~1')}"
            )
        ]
    return [] if old == new else [{"path": path, "old": old, "new": new}]


def _config(old: Any, new: Any) -> dict[str, Any]:  # noqa: ANN401 - any config
    status = _status(old, new)
    if status != "changed":
        return {"status": status}
    return {"status": status, "changes": _changes(old, new), "patch": jsonpatch.make_patch(old, new).patch}


def _status(old: object, new: object) -> str:
    if old is None or new is None:
        return "added" if old is None else "removed"
    return "same" if old == new else "changed"
