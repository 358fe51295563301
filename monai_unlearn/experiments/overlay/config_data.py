"""A bundle's config as data: merged from its files, with references followed as texts. Nothing is evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.config_text import read_config
from monai_unlearn.vocabulary.bundle_files import CONFIG_SUFFIXES
from monai_unlearn.vocabulary.config_ids import ID, SEPARATOR, closure, value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_REFERENCE = re.compile(rf"@({ID})")
_ALONE = re.compile(rf"[$]?@({ID})|%({ID})")
_SUM = re.compile(rf"\$\s*@{ID}(?:\s*\+\s*@{ID})+\s*")
# MONAI's names of the keys of items.
_COMMON_KEYS = re.compile(r"\$\s*(?:monai\.utils\.)?CommonKeys\.([A-Z]+)(?:\.value)?\s*")
_MOST_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class ConfigData:
    """The content of a config.

    Args:
        path: The file.
        content: Its content.
    """

    path: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> ConfigData:
        """Read a config, YAML or JSON.

        Raises:
            ConfigError: It is neither, or no mapping.
        """
        found = read_config(path)
        if not isinstance(found, dict):
            raise ConfigError(f"{path}: expected a config, a mapping in YAML or JSON. Fix the file.")
        return cls(path=path, content=_nested(found))

    @classmethod
    def find(cls, root: Path, name: str) -> ConfigData | None:
        """Return the config of a name, such as `inference`, of a bundle; None where there is none."""
        paths = [root / "configs" / f"{name}{suffix}" for suffix in CONFIG_SUFFIXES]
        return next((cls.read(path) for path in paths if path.is_file()), None)

    def at(self, name: str) -> Any:  # noqa: ANN401 - any value of a config
        """Return what an id stands for, as it is written; None where there is no such id."""
        return value_at(self.content, name)

    def resolved(self, value: Any) -> Any:  # noqa: ANN401 - any value of a config
        """Return a value with plain references in it followed: `@id`, `$@id`, `%id`, sums of lists, `CommonKeys`.

        An expression that says more stays as it is written.
        """
        return self._resolved(value, 0)

    def _resolved(self, value: Any, depth: int) -> Any:  # noqa: ANN401 - as above
        if depth > _MOST_STEPS:
            return value
        if isinstance(value, dict):
            return {key: self._resolved(one, depth + 1) for key, one in value.items()}
        if isinstance(value, list):
            return [self._resolved(one, depth + 1) for one in value]
        return self._text(value, depth) if isinstance(value, str) else value

    def _text(self, value: str, depth: int) -> Any:  # noqa: ANN401 - whatever it refers to
        if found := _COMMON_KEYS.fullmatch(value):
            return found[1].lower()
        if found := _ALONE.fullmatch(value.strip()):
            target = self.at(found[1] or found[2])
            return value if target is None else self._resolved(target, depth + 1)
        if _SUM.fullmatch(value):
            parts = [self._resolved(f"@{name}", depth + 1) for name in _REFERENCE.findall(value)]
            return [one for part in parts for one in part] if all(isinstance(part, list) for part in parts) else value
        return value

    def resolved_list(self, value: Any) -> list[Any]:  # noqa: ANN401 - any value of a config
        """Return a list that a value is or refers to, its items as they are written; empty where there is none."""
        if isinstance(value, str) and (found := _ALONE.fullmatch(value.strip())):
            value = self.at(found[1] or found[2])
        return value if isinstance(value, list) else []

    def closure(self, *values: Any) -> dict[str, Any]:  # noqa: ANN401 - any values of a config
        """Return every id that values refer to, directly or through one another, as they are written."""
        return closure(self.content, *values)


def components(value: object, above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each component in a value, a mapping with `_target_`, with its id."""
    items: Iterable[tuple[object, Any]] = ()
    if isinstance(value, dict):
        if isinstance(value.get("_target_"), str):
            yield above, value
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, one in items:
        yield from components(one, f"{above}::{key}" if above else str(key))


def target(component: object) -> str:
    """Return the last part of a component's `_target_`; empty where the value is none.

    >>> target({"_target_": "monai.transforms.LoadImaged"})
    'LoadImaged'
    """
    found = component.get("_target_") if isinstance(component, dict) else None
    return found.rpartition(".")[2] if isinstance(found, str) else ""


def _nested(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config in which `a#b` and `a::b` are `b` within `a`, as MONAI reads them."""
    nested: dict[str, Any] = {}
    for key, value in content.items():
        *path, last = SEPARATOR.split(str(key))
        place = nested
        for name in path:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                return dict(content)
        place[last] = value
    return nested
