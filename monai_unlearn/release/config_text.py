"""Config files as text: read as data, and changed in single values, with comments and order kept."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.release.config_downloads import Id

MAX_BYTES = 64 * 1024**2


def read_config(path: Path) -> Any:  # noqa: ANN401 - any YAML or JSON
    """Return a config as plain values, or None where it is neither YAML nor JSON. Nothing is executed."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        return parse(path.read_text(encoding="utf-8"), is_json=path.suffix.lower() == ".json")
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None


def parse(text: str, *, is_json: bool) -> Any:  # noqa: ANN401 - as above
    """Return the content of a text as plain values.

    Raises:
        ValueError: It is no JSON.
        yaml.YAMLError: It is no YAML.
    """
    return json.loads(text) if is_json else yaml.safe_load(text)


def edited(path: Path, values: Mapping[Id, Any]) -> str:
    """Return the text of a config in which some places have other values.

    YAML keeps its comments; JSON has none, and is written anew.

    Args:
        path: The config.
        values: The new values by the keys and positions that lead to their places; a key that a mapping lacks is added.
    """
    text = path.read_text(encoding="utf-8")
    is_json = path.suffix.lower() == ".json"
    content = parse(text, is_json=is_json)
    for where, value in values.items():
        _set(content, where, value)
    if is_json:
        return json.dumps(content, indent=4, ensure_ascii=False) + "\n"
    for where, value in values.items():
        text = _replaced(text, where, value)
    # Merged or repeated keys: the text in the place found may not be what counts.
    return text if _same(text, content) else yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def with_settings(path: Path, settings: Mapping[str, Any]) -> str:
    """Return the text of a config in which settings have these values.

    Only settings that the config states as plain values are changed: references and expressions stay. `a::b` is `b`
    within `a`. The classes stay: configs of this package read them from the metadata. In YAML, values on a line of
    their own are replaced in the text, which keeps comments and order.

    Args:
        path: The config.
        settings: The values by name.
    """
    text = path.read_text(encoding="utf-8")
    wanted: dict[Id, Any] = {tuple(key.split("::")): value for key, value in settings.items() if key != "class_names"}
    if path.suffix.lower() != ".json":
        for where, value in wanted.items():
            name = "  " * (len(where) - 1) + str(where[-1])
            # `re.sub` would interpret a backslash in the replacement.
            line = f"{name}: {json.dumps(value)}".replace("\\", "\\\\")
            text = re.sub(rf"(?m)^{re.escape(name)}: [^@$\n]*$", line, text)
        return text
    content = read_config(path)
    stated = {where: value for where, value in wanted.items() if _states(content, where)}
    changed = {where: value for where, value in stated.items() if _at(content, where) != value}
    return edited(path, changed) if changed else text


def _states(content: Any, where: Id) -> bool:  # noqa: ANN401 - any JSON
    """Return whether a config states a plain value at a place."""
    try:
        value = _at(content, where)
    except (KeyError, TypeError, IndexError):
        return False
    return not (isinstance(value, str) and value[:1] in ("@", "$", "%"))


def _at(content: Any, where: Id) -> Any:  # noqa: ANN401 - any JSON
    for key in where:
        content = content[key]
    return content


def _set(content: Any, where: Id, value: Any) -> None:  # noqa: ANN401 - any node of a config
    _at(content, where[:-1])[where[-1]] = value


def _same(text: str, content: object) -> bool:
    try:
        return bool(yaml.safe_load(text) == content)
    except (ValueError, yaml.YAMLError):
        return False


def _replaced(text: str, where: Id, value: object) -> str:
    """Return YAML with another scalar at a place, or with one more key in a mapping."""
    *path, last = where
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for key in path:
        node = _child(node, key)
    found = _child(node, last)
    if found is not None:
        start, end = found.start_mark.index, found.end_mark.index
        return f"{text[:start]}{json.dumps(value)}{text[end:]}"
    if not isinstance(node, yaml.MappingNode):
        return text
    first = node.value[0][0].start_mark
    separator = ", " if node.flow_style else "\n" + " " * first.column
    return f"{text[: first.index]}{last}: {json.dumps(value)}{separator}{text[first.index :]}"


def _child(node: yaml.Node | None, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        return node.value[key]  # type: ignore[no-any-return]  # PyYAML's stubs say Any
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if getattr(name, "value", None) == str(key)), None)
    return None
