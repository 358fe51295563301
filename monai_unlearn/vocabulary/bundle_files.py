"""How the files of a MONAI bundle are called, and which of them hold configs, weights or downloads."""

from __future__ import annotations

from pathlib import Path, PurePath

METADATA = Path("configs/metadata.json")
DOCS = Path("docs")
LARGE_FILES = "large_files"
"""The stem of the list of files that MONAI downloads, at the root of a bundle."""

CONFIG_SUFFIXES = (".json", ".yaml", ".yml")
WEIGHT_SUFFIXES = (
    *(".pt", ".pth", ".ts", ".ckpt", ".safetensors", ".onnx", ".engine", ".plan", ".trt"),
    *(".bin", ".pkl", ".pickle", ".joblib", ".h5", ".npz"),
)


def is_weights(relative: PurePath) -> bool:
    """Return whether a file holds weights, or code compiled with them, as its name says.

    >>> [is_weights(PurePath(name)) for name in ("models/model.TS", "a/model.pth.tar", "scripts/model.py")]
    [True, True, False]

    Args:
        relative: Its path within the bundle.
    """
    # Also where it is packed, as in model.pth.tar and model.pt.gz.
    return any(suffix.lower() in WEIGHT_SUFFIXES for suffix in relative.suffixes)


def config_files(root: Path) -> list[Path]:
    """Return the config files of a bundle, at any depth below `configs/`, sorted; its metadata are none of them."""
    found = (path for path in (root / "configs").rglob("*") if path.suffix.lower() in CONFIG_SUFFIXES)
    return sorted(path for path in found if path.is_file() and path.relative_to(root) != METADATA)


def large_files(root: Path) -> list[Path]:
    """Return the lists of files to download, wherever they lie in a bundle, sorted."""
    return sorted(path for path in root.rglob(f"{LARGE_FILES}.*") if path.suffix.lower() in CONFIG_SUFFIXES)
