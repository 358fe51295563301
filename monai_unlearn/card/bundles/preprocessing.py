"""What turns an image into the network's input, as configs say it: preprocessing, and what it refers to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEYS = ("preprocessing", "pre_transforms", "image_only_preprocessing", "deterministic_transforms")
"""What bundles of MONAI's zoo call it."""
_SEPARATOR = re.compile("#|::")
_REFERENCE = re.compile(r"@([A-Za-z_]\w*(?:(?:::|#)\w+)*)")


def preprocessing_of(config: object) -> dict[str, Any]:
    """Return the sections of a config that prepare images, with everything that they refer to, by id.

    References are followed as texts (`@id`, also within `$` expressions); nothing is evaluated.

    >>> config = {"size": [64, 64], "preprocessing": {"spatial_size": "@size"}, "epochs": 3}
    >>> preprocessing_of(config)
    {'preprocessing': {'spatial_size': '@size'}, 'size': [64, 64]}

    Args:
        config: The content of a config file; anything but a mapping has none.
    """
    if not isinstance(config, dict):
        return {}
    found = dict(_sections(config))
    waiting = list(found.values())
    while waiting:
        for name in _references(waiting.pop()):
            if name not in found and (value := _at(config, name)) is not None:
                found[name] = value
                waiting.append(value)
    return found


def _sections(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        path = f"{above}::{name}" if above else str(name)
        # An overlay names what it replaces by its whole id: `validate#preprocessing`.
        if set(_SEPARATOR.split(str(name))) & set(KEYS):
            yield path, value
        elif isinstance(value, dict):
            yield from _sections(value, path)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from (found.replace("#", "::") for found in _REFERENCE.findall(value))
    elif isinstance(value, dict):
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _references(one)


def _at(config: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any config
    """Return what an id stands for; None where there is no such id."""
    found: Any = config
    for key in name.split("::"):
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found
