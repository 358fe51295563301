"""What in a bundle runs as code, found without running any of it."""

from __future__ import annotations

import configparser
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.bundle_info import BundleInfo
from monai_unlearn.release.config_code import Code, code_of, code_of_logging, counts
from monai_unlearn.release.config_text import read_config
from monai_unlearn.release.contents import all_files
from monai_unlearn.release.state_dict import file_weights_digest
from monai_unlearn.release.sums import actual
from monai_unlearn.vocabulary.bundle_files import CONFIG_SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = (".py", ".pyi", ".pyc", ".pyd", ".ipynb")
# What else runs, and when.
_RUNS = {
    **dict.fromkeys((".so", ".dll", ".dylib"), "native code, which runs when it is loaded"),
    **dict.fromkeys((".sh", ".bat", ".ps1"), "a script of a shell"),
    **dict.fromkeys((".ts", ".engine", ".plan", ".trt", ".onnx"), "a compiled network, whose code runs with it"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "a pickle, which can run code when it is loaded"),
}
_WEIGHTS = (".pt", ".pth", ".ckpt", ".bin")
_PICKLED = "not a plain state dict of tensors: loading it without weights_only=True can run code"


def inspect_bundle(bundle: Path) -> dict[str, Any]:
    """Return what in a bundle runs as code.

    Args:
        bundle: The folder of the bundle.

    Returns:
        `configs`, the code in each config; `python`, the digests of Python files; `other`, of further files that run,
        with what they are; `unreadable`, configs that nobody can read; `counts`.

    Raises:
        ConfigError: The folder is no bundle.
    """
    info = BundleInfo.read(bundle)
    names = {path.relative_to(bundle).as_posix(): path for path in all_files(bundle)}
    configs = {name: _config(path) for name, path in names.items() if _is_config(name)}
    found = {name: code for name, code in configs.items() if code}
    python = [{"file": name, "sha256": actual(path)} for name, path in names.items() if path.suffix.lower() in PYTHON]
    other = [
        {"file": name, "sha256": actual(path), "what": what} for name, path in names.items() if (what := _what(path))
    ]
    return {
        "bundle": str(bundle),
        "name": info.name,
        "version": info.version,
        "configs": {name: [one.to_dict() for one in code] for name, code in found.items()},
        "python": python,
        "other": other,
        "unreadable": sorted(name for name, code in configs.items() if code is None),
        "counts": {**counts(found), "python": len(python), "other": len(other)},
    }


def _is_config(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    suffix = "." + file.rpartition(".")[2].lower()
    return folder.partition("/")[0] == "configs" and suffix in (*CONFIG_SUFFIXES, ".conf", ".ini", ".cfg")


def _config(path: Path) -> list[Code] | None:
    """Return the code in a config; None where nobody can read it."""
    if path.is_symlink():
        return None
    if path.suffix.lower() in CONFIG_SUFFIXES:
        content = read_config(path)
        return None if content is None else list(code_of(content))
    try:
        return list(code_of_logging(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, configparser.Error):
        return None


def _what(path: Path) -> str | None:
    """Return what a file is that runs, or may, without being Python; None for any other."""
    suffix = path.suffix.lower()
    if path.is_symlink():
        return "a link, to something that is not part of the bundle"
    if suffix in _WEIGHTS:
        try:
            file_weights_digest(path)
        except ConfigError:
            return _PICKLED
    return _RUNS.get(suffix)
