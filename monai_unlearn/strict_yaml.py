"""YAML as data: a safe loader that refuses whatever could mean something else than it says.

PyYAML's `SafeLoader` already builds plain values only. On top of it this refuses duplicate keys, tags,
anchors, aliases and merge keys, and documents that are too large or too deep. Scalars keep the spelling
of the author where YAML 1.1 would change them silently: `no`, `0o17`, `12:30:45` and `2019-01-01` stay
text; only `true`, `false`, `null`, plain decimal integers and decimal fractions are converted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from monai_unlearn.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32

_SCALARS: dict[str, tuple[str, str]] = {
    "tag:yaml.org,2002:null": (r"^(?:null|~|)$", "~n\0"),
    "tag:yaml.org,2002:bool": (r"^(?:true|false)$", "tf"),
    # 18 digits are all that a 64-bit number is sure to hold; a longer run is an identifier: it stays text.
    "tag:yaml.org,2002:int": (r"^[-+]?(?:0|[1-9][0-9]{0,17})$", "-+0123456789"),
    "tag:yaml.org,2002:float": (r"^[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?$", "-+0123456789"),
}


class _StrictLoader(yaml.SafeLoader):
    """A SafeLoader with its own, smaller set of implicit types, and no references."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own protocol

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse anchors, aliases and explicit tags before a node is built from them."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise yaml.MarkedYAMLError(problem="anchors and aliases are not allowed", problem_mark=mark)
        if event.tag is not None:
            raise yaml.MarkedYAMLError(problem="tags ('!…') are not allowed", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Refuse a key that stands twice, and keys that are not text."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key_node.tag != "tag:yaml.org,2002:str":
                raise yaml.MarkedYAMLError(problem="a key must be text", problem_mark=key_node.start_mark)
            if key == "<<":
                raise yaml.MarkedYAMLError(
                    problem="merge keys ('<<') are not allowed", problem_mark=key_node.start_mark
                )
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"the key '{key}' stands twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> str:
        """Refuse half a character: text that no file and no digest can hold."""
        value: str = super().construct_scalar(node)
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise yaml.MarkedYAMLError(
                problem="an escape names half a character, which is no text", problem_mark=node.start_mark
            )
        return value


for _tag, (_pattern, _first) in _SCALARS.items():
    for _character in _first:
        _StrictLoader.yaml_implicit_resolvers.setdefault("" if _character == "\0" else _character, []).append(
            (_tag, re.compile(_pattern))
        )


def load(text: str, *, source: str) -> Any:  # noqa: ANN401 - a document is any tree of plain values
    """Parse one YAML document into plain values.

    Args:
        text: The document.
        source: How messages name it: a path, as the user gave it.

    Raises:
        SpecError: The text is too large, too deep, not YAML, or uses what is refused; with its line.
    """
    _check_size(text, source)
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader's subclass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise SpecError(f"{where}: not valid YAML here: {what}.") from None
    except yaml.YAMLError as error:
        raise SpecError(f"{source}: not valid YAML: {str(error).splitlines()[0]}.") from None
    except ValueError:  # PyYAML lets chr() speak for itself
        raise SpecError(f"{source}: not valid YAML: an escape names a character that does not exist.") from None


@dataclass(frozen=True)
class Scalar:
    """Where a single value stands in a document: character offsets, and its quotes or block mark, if any."""

    start: int
    end: int
    style: str | None


def locate(text: str) -> dict[tuple[str | int, ...], int]:
    """Return the line (from 1) of every key and item of a document that `load` has accepted."""
    return _walk(text)[0]


def locate_scalars(text: str) -> dict[tuple[str | int, ...], Scalar]:
    """Return where every single value of a document that `load` has accepted stands."""
    return _walk(text)[1]


def _walk(text: str) -> tuple[dict[tuple[str | int, ...], int], dict[tuple[str | int, ...], Scalar]]:
    lines: dict[tuple[str | int, ...], int] = {}
    scalars: dict[tuple[str | int, ...], Scalar] = {}

    def walk(node: yaml.Node | None, at: tuple[str | int, ...]) -> None:
        if node is None:
            return
        lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            scalars[at] = Scalar(node.start_mark.index, node.end_mark.index, node.style)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*at, key.value)
                lines[here] = key.start_mark.line + 1
                walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                walk(item, (*at, number))

    walk(yaml.compose(text, Loader=_StrictLoader), ())
    return lines, scalars


def read(path: Path) -> str:
    """Read a document's text, bounded in size.

    Raises:
        SpecError: The file is missing, unreadable, too large, or not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise SpecError(f"{path}: cannot be read ({error.strerror}). Give the path of a YAML file.") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path}: expected UTF-8 text, got other bytes. Save the file as UTF-8.") from None
    _check_size(text, str(path))
    return text


def _check_size(text: str, source: str) -> None:
    if len(text.encode("utf-8")) > MAX_BYTES:
        raise SpecError(f"{source}: expected at most {MAX_BYTES // 1024} KiB of YAML, got more.")
    depth = 0
    try:
        # Events come one at a time, so that a deep document is refused before anything recurses into it.
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise SpecError(f"{source}:{line}: expected at most {MAX_DEPTH} nested levels, got more.")
    except (yaml.YAMLError, ValueError):
        return  # load() reports it, with its line
