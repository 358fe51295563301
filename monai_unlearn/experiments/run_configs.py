"""Which config files a bundle's `unlearn` runs from, read as data.

A bundle of ours has one that is whole. For a bundle of others, `unlearn.yaml` is laid over one of the bundle's own
configs, which defines network, preprocessing and device; see docs/your_own_model.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.config_text import read_config
from monai_unlearn.vocabulary.bundle_files import CONFIG_SUFFIXES
from monai_unlearn.vocabulary.config_ids import SEPARATOR, references

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

OVERLAY = "unlearn.yaml"
# The id by which an overlay of `init-overlay` says which config of the bundle it is laid over.
BASE = "base_config"
# The bundle's config for inference has the preprocessing without augmentation, so it comes first.
_FIRST = ("inference", "train", "evaluate")
_META = "_meta_"
METHOD = "method"


def run_configs(bundle: Path) -> list[Path]:
    """Return the config files of a bundle's `unlearn`, in the order in which MONAI merges them.

    Args:
        bundle: The bundle's folder, or the `unlearn.yaml` in its configs.

    Raises:
        ConfigError: There is no `unlearn.yaml`, it cannot be read, or it uses an id that no config of the bundle
            defines.
    """
    overlay = bundle / "configs" / OVERLAY if bundle.is_dir() else bundle
    if not overlay.is_file():
        raise ConfigError(
            f"{bundle}: expected a MONAI bundle with configs/{OVERLAY}, found none. For a bundle that you trained "
            "elsewhere, write one: monai-unlearn init-overlay BUNDLE."
        )
    content = _read(overlay)
    if base := content.get(BASE):
        path = overlay.parent / str(base)
        if path.parent != overlay.parent or not path.is_file():
            raise ConfigError(f"{overlay}: {BASE} names {base}, which is no file beside it. Name the config.")
        return [path, overlay]
    missing = _used(content) - content.keys() - {_META}
    if not missing:
        return [overlay]
    best: set[str] = missing
    for path, defined in _others(overlay):
        lacking = missing - defined.keys()
        if not lacking:
            return [path, overlay]
        best = min(best, lacking, key=len)
    raise ConfigError(
        f"{overlay}: it uses {', '.join(sorted(best))}, which neither it nor another config of the bundle defines. "
        f"Define each in {overlay.name}, or in the config that it is laid over."
    )


def check_parts_of_method(configs: Sequence[Path], settings: Mapping[str, object]) -> None:
    """Refuse a setting of a method, such as `method::noise`, where nothing says which method.

    MONAI puts such a setting into the section `method`, and fails where that is a name or an expression.

    Args:
        configs: The config files, in the order in which MONAI merges them.
        settings: The settings of the command line, by their ids.

    Raises:
        ConfigError: There is such a setting; the message says how to name the method.
    """
    parts = [name for name in settings if SEPARATOR.split(name)[0] == METHOD and name != METHOD]
    if not parts:
        return
    given = settings.get(METHOD)
    if given is None:
        given = next((found[METHOD] for path in reversed(configs) if METHOD in (found := _read(path))), None)
    if given is None or isinstance(given, Mapping) or (isinstance(given, str) and given.lstrip().startswith("{")):
        return
    setting = SEPARATOR.split(parts[0])[-1]
    raise ConfigError(
        f"{parts[0]}: a setting of which method? The config leaves the choice to the cohort, or gives a name alone. "
        f'Give the method with its settings: method "{{name: NAME, {setting}: …}}", or beside them: method '
        '"{name: NAME}".'
    )


def _others(overlay: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the other configs of the folder that can be read, those that an overlay is most likely laid over first."""
    found = [path for path in overlay.parent.iterdir() if path.suffix in CONFIG_SUFFIXES and path.stem != "metadata"]
    rank = {name: number for number, name in enumerate(_FIRST)}
    for path in sorted(found, key=lambda path: (rank.get(path.stem, len(rank)), path.name)):
        if path != overlay:
            with suppress(ConfigError):
                yield path, _read(path)


def _read(path: Path) -> Mapping[str, Any]:
    """Return the content of a config by its ids at the top level."""
    content = read_config(path)
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path}: expected a bundle's config, a mapping of ids in YAML or JSON, but cannot read it as one. Fix it."
        )
    # `a::b` and `+a` change or define the id `a`.
    return {_outermost(str(key).lstrip("+")): value for key, value in content.items()}


def _used(value: object) -> set[str]:
    """Return the ids at the top level that a config refers to."""
    return {_outermost(name) for name in references(value)}


def _outermost(name: str) -> str:
    return SEPARATOR.split(name)[0]
