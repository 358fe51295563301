"""Ids in a bundle's config, and what refers to what, followed as texts: nothing is evaluated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SEPARATOR = re.compile("#|::")
"""Between an id and one within it; MONAI takes both."""
ID = r"[A-Za-z_]\w*(?:(?:::|#)\w+)*"
# `a@b` and `m[0]@b` multiply matrices, or are addresses.
_REFERENCE = re.compile(rf"(?<![\w)\]])@({ID})")
_MACRO = re.compile(rf"%({ID})")


def value_at(config: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any value of a config
    """Return what an id stands for, as it is written; None where there is no such id.

    >>> value_at({"sizes": [{"low": 3}]}, "sizes::0#low")
    3
    """
    found: Any = config
    for key in SEPARATOR.split(name):
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found


def references(value: object) -> Iterator[str]:
    """Yield the ids that a value refers to, `@id` or `%id`, also within expressions.

    >>> sorted(references({"a": "@size", "b": ["$len(@names) + @train#rate", "$a @ b"]}))
    ['names', 'size', 'train::rate']
    """
    if isinstance(value, str):
        yield from (name.replace("#", "::") for name in _REFERENCE.findall(value))
        if found := _MACRO.fullmatch(value.strip()):
            yield found[1].replace("#", "::")
    elif isinstance(value, dict):
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def closure(config: Mapping[str, Any], *values: object) -> dict[str, Any]:
    """Return every id of a config that values refer to, directly or through one another, as they are written."""
    found: dict[str, Any] = {}
    waiting = list(values)
    while waiting:
        for name in references(waiting.pop()):
            if name not in found and (value := value_at(config, name)) is not None:
                found[name] = value
                waiting.append(value)
    return found
