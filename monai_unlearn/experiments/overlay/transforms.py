"""The preprocessing of a bundle as a list of transforms: which one reads files, and which keys of items they use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.card.bundles.preprocessing import KEYS
from monai_unlearn.experiments.overlay.config_data import target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.experiments.overlay.config_data import ConfigData

IMAGE, LABEL = "image", "label"
# What a renamed key becomes, where `label` is a file that preprocessing reads and not the class.
LABEL_FILE = "label_file"
_NAMES = ("keys", "source", "ref_image_keys", "label_key", "image_key", "source_key", "mask_key")


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What makes the network's input.

    Attributes:
        name: Its id in the config.
        transforms: The transforms in order, with plain references followed.
        written: The value of the config, as it is written.
    """

    name: str
    transforms: tuple[Mapping[str, Any], ...]
    written: Any

    @classmethod
    def of(cls, config: ConfigData) -> Preprocessing | None:
        """Find it in a config; None where there is none."""
        for name in (*KEYS, "transforms", "val_preprocessing", "validate::preprocessing"):
            value = config.at(name)
            steps = tuple(_steps(config.resolved(value)))
            if steps:
                return cls(name=name, transforms=steps, written=value)
        return None

    @property
    def loaders(self) -> list[Mapping[str, Any]]:
        """The transforms that read files."""
        return [step for step in self.transforms if target(step).startswith("Load")]

    @property
    def image_key(self) -> str:
        """The key of the image: what the first loader reads first, or else the first key of the first transform."""
        first = next(iter(self.loaders or self.transforms), {})
        return next(iter(keys_of(first)), IMAGE)

    @property
    def file_keys(self) -> list[str]:
        """Other keys that loaders read as files."""
        found = dict.fromkeys(key for step in self.loaders for key in keys_of(step))
        return [key for key in found if key != self.image_key]

    def renamed(self, names: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the transforms with other names of keys."""
        return [_renamed(step, names) for step in self.transforms]


def keys_of(step: Mapping[str, Any]) -> list[str]:
    """Return the keys that a transform works on.

    >>> keys_of({"_target_": "LoadImaged", "keys": ["image", "label"]})
    ['image', 'label']
    """
    found = step.get("keys", [])
    return [str(key) for key in (found if isinstance(found, list) else [found])]


def _steps(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any value of a config
    """Yield transforms of a list or a Compose, of nested ones too."""
    if isinstance(value, list):
        for one in value:
            yield from _steps(one)
    elif target(value) == "Compose" and isinstance(value.get("transforms"), list):
        yield from _steps(value["transforms"])
    elif target(value):
        yield value


def _renamed(step: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    def rename(value: Any) -> Any:  # noqa: ANN401 - any argument
        if isinstance(value, list):
            return [rename(one) for one in value]
        return names.get(value, value) if isinstance(value, str) else value

    return {key: rename(value) if key in _NAMES else value for key, value in step.items()}
