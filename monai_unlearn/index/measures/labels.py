"""The names of labels as columns, and the file that gives a name to each value of a mask."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monai_unlearn import strict_yaml
from monai_unlearn.errors import IndexReadError, SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST_VALUE = 2**31 - 1

_NUMBERED = re.compile(r"label_(\d+)")
_WHOLE = re.compile(r"0|[1-9]\d{0,9}")
# Strict YAML accepts only text as keys; here a whole number is quoted, so that it becomes text.
_NUMBER_AS_KEY = re.compile(r"(^|[{,])([ \t]*)(\d+)(?=[ \t]*:(?:\s|$))", re.MULTILINE)


@dataclass(frozen=True)
class MaskLabels:
    """The column names of the values of a mask.

    Attributes:
        names: The name of each value; a value without one is named by its number.
    """

    names: Mapping[int, str] = field(default_factory=dict)

    def name(self, value: int) -> str:
        """Return the name of a value: `label_7` if 7 has no name."""
        return self.names.get(value, f"label_{value}")

    @classmethod
    def read(cls, path: Path) -> MaskLabels:
        """Read a JSON or YAML file that maps names to values, or values to names.

        The value 0 is the background, and is ignored.

        Raises:
            IndexReadError: The file cannot be read, is not such a mapping, or repeats a name or value.
        """
        content = _content(path)
        if not isinstance(content, dict) or not content:
            raise IndexReadError(f"{path}: expected a mapping of label names to values, got other content.")
        names: dict[int, str] = {}
        for key, item in content.items():
            label, value = _pair(path, key, item)
            name = column_name(label)
            if value in names:
                raise IndexReadError(f"{path}: the value {value} has two labels. Give each label its own value.")
            if not name or (name in names.values()):
                raise IndexReadError(
                    f"{path}: the label '{label}' becomes the column name '{name}', which is empty or taken by another "
                    "label. Rename it."
                )
            numbered = _NUMBERED.fullmatch(name)
            if numbered and int(numbered[1]) != value:
                raise IndexReadError(f"{path}: '{label}' names the value {numbered[1]}; rename it for {value}.")
            names[value] = name
        names.pop(0, None)
        return cls(names)


def column_name(label: str) -> str:
    """Return the column name of a label: its plain name, with `label_` before it if it starts with a digit."""
    name = plain_name(label)
    return f"label_{name}" if name[:1].isdigit() else name


def plain_name(text: str) -> str:
    """Return a text in lower case, reduced to letters, digits and single underscores, without accents; maybe empty."""
    plain = "".join(part for part in unicodedata.normalize("NFKD", text) if not unicodedata.combining(part))
    return re.sub(r"[\W_]+", "_", plain.lower()).strip("_")


def _content(path: Path) -> Any:  # noqa: ANN401 - a document is any tree of plain values
    try:
        text = strict_yaml.read(path)
        if path.suffix.lower() == ".json":
            return json.loads(text, object_pairs_hook=_without_repeats)
        return strict_yaml.load(_NUMBER_AS_KEY.sub(r'\1\2"\3"', text), source=str(path))
    except SpecError as error:
        raise IndexReadError(str(error)) from None
    except json.JSONDecodeError as error:
        raise IndexReadError(f"{path}:{error.lineno}:{error.colno}: not valid JSON here: {error.msg}.") from None
    except (KeyError, RecursionError, ValueError):
        raise IndexReadError(f"{path}: expected a flat mapping without repeated keys.") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise KeyError
    return content


def _pair(path: Path, key: str, item: object) -> tuple[str, int]:
    """Return the name and the value of an entry, in whichever order they are given."""
    if isinstance(item, str) and _WHOLE.fullmatch(key):
        label, value = item, int(key)
    elif isinstance(item, int) and not isinstance(item, bool) and not _WHOLE.fullmatch(key):
        label, value = key, item
    else:
        raise IndexReadError(f"{path}: '{key}': expected a name with a whole number of at least 0, or the reverse.")
    if not 0 <= value <= LARGEST_VALUE:
        raise IndexReadError(f"{path}: '{label}': expected a value from 0 to {LARGEST_VALUE}, got {value}.")
    return label, value
