"""What turns an image into the network's input, as configs say it: preprocessing, and what it refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.vocabulary.config_ids import SEPARATOR, closure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEYS = ("preprocessing", "pre_transforms", "image_only_preprocessing", "deterministic_transforms")
"""What bundles of MONAI's zoo call it."""


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
    return found | closure(config, *found.values())


def _sections(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in config.items():
        path = f"{above}::{name}" if above else str(name)
        # An overlay names what it replaces by its whole id: `validate#preprocessing`.
        if set(SEPARATOR.split(str(name))) & set(KEYS):
            yield path, value
        elif isinstance(value, dict):
            yield from _sections(value, path)
