"""What a MONAI bundle says of itself, as plain values: nothing in it is run, and nothing outside it is read."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from monai_unlearn import strict_yaml
from monai_unlearn.errors import ConfigError, SpecError
from monai_unlearn.vocabulary.bundle_files import DOCS, LARGE_FILES, METADATA, config_files, is_weights, large_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

CARD = DOCS / "model_card_diff.json"
IDENTITY = ("name", "version", "task", "authors", "copyright", "monai_version", "pytorch_version", "intended_use")
SCRIPTS = "*.py"
MAX_TEXT = 32 * 1024**2
_CHUNK = 1024 * 1024


def read_bundle(root: Path) -> dict[str, Any]:
    """Read a bundle.

    Returns:
        `identity`, `metadata`, `configs` by path below `configs/`, `labels` by output, `metrics`, `weights` and
        `scripts` by path with `sha256` (and `bytes`), `downloads`, what `large_files.yml` and lists like it say of
        files that MONAI downloads, by path, and `verdict` of the card of its last revision, null where there is none. A
        config that is no plain JSON or YAML has `unreadable` with why, and its digest.

    Raises:
        ConfigError: There is no metadata, or it cannot be read.
    """
    metadata = _metadata(root)
    outputs = _mapping(_mapping(metadata.get("network_data_format")).get("outputs"))
    labels = {name: _mapping(one).get("channel_def") for name, one in outputs.items()}
    return {
        "identity": {name: metadata.get(name) for name in IDENTITY},
        "metadata": metadata,
        "configs": {
            path.relative_to(root / METADATA.parent).as_posix(): _config(path)
            for path in _inside(root, config_files(root))
        },
        "labels": {name: one for name, one in labels.items() if isinstance(one, dict)},
        "metrics": _mapping(metadata.get("eval_metrics")),
        "weights": {
            path.relative_to(root).as_posix(): {"sha256": _digest(path), "bytes": path.stat().st_size}
            for path in _inside(root, sorted(root.rglob("*")))
            if is_weights(path.relative_to(root))
        },
        "downloads": _downloads(root),
        "scripts": {
            path.relative_to(root).as_posix(): _digest(path)
            for path in _inside(root, sorted((root / "scripts").rglob(SCRIPTS)))
        },
        "verdict": _verdict(read_card(root)),
    }


def read_card(root: Path) -> dict[str, Any] | None:
    """Return the card of a bundle's last revision by this package; None where there is none.

    Raises:
        ConfigError: There is one, and it is not JSON.
    """
    path = root / CARD
    if not path.is_file() or not _is_inside(root, path):
        return None
    found = _json(path)
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: expected the JSON of a card. Get the bundle as the revision wrote it.")
    return found


def _metadata(root: Path) -> dict[str, Any]:
    path = root / METADATA
    if not path.is_file() or not _is_inside(root, path):
        raise ConfigError(f"{path} is missing: {root} is not a MONAI bundle. Give the folder of a bundle.")
    found = _json(path)
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: expected a JSON object.")
    return found


def _json(path: Path) -> Any:  # noqa: ANN401 - any JSON
    try:
        if path.stat().st_size > MAX_TEXT:
            raise ConfigError(f"{path}: expected at most {MAX_TEXT // 1024**2} MiB.")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: expected JSON ({type(error).__name__}).") from None


def _config(path: Path) -> Any:  # noqa: ANN401 - any config
    try:
        if path.suffix.lower() == ".json":
            return _json(path)
        return strict_yaml.load(strict_yaml.read(path), source=str(path))
    except (ConfigError, SpecError) as error:
        return {"unreadable": type(error).__name__, "sha256": _digest(path)}


def _downloads(root: Path) -> dict[str, Any]:
    listed = (_mapping(_config(path)).get(LARGE_FILES) for path in _inside(root, large_files(root)))
    entries = [one for found in listed if isinstance(found, list) for one in found if isinstance(one, dict)]
    return {one["path"]: one for one in entries if isinstance(one.get("path"), str)}


def _inside(root: Path, paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files among paths; none by a link out of the bundle."""
    return (path for path in paths if path.is_file() and _is_inside(root, path))


def _is_inside(root: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, dict) else {}


def _verdict(card: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what the card says of the last revision, with the endpoints that are beyond their margins."""
    if card is None:
        return None
    endpoints = _mapping(card.get("decision")).get("endpoints")
    return {
        "verdict": card.get("verdict"),
        "action": _mapping(card.get("advice")).get("action"),
        "beyond": [one for one in endpoints if _is_beyond(one)] if isinstance(endpoints, list) else [],
    }


def _is_beyond(endpoint: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(endpoint, dict) and endpoint.get("status") in ("beyond", "blocks")
