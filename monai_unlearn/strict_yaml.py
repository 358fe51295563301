r"""YAML as data: a safe loader that refuses whatever could mean something else than it seems to.

PyYAML's `SafeLoader` builds plain values only. In addition, this module refuses duplicate keys, tags, anchors,
aliases, merge keys, directives, characters that make a text look different from what it says, and documents that
are too large, too deep or have too many values. Scalars keep the author's spelling where YAML 1.1 would change
them silently: `no`, `0o17`, `12:30:45` and `2019-01-01` stay text; only `true`, `false`, `null`, plain decimal
integers and decimal fractions are converted.

>>> load("forget: no\nfrom: 2019-01-01\ncount: 3", source="spec.yaml")
{'forget': 'no', 'from': '2019-01-01', 'count': 3}
"""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from monai_unlearn.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 5_000

# Editors show these as nothing or as a space, or end a line where YAML does not: control characters, lone surrogates,
# a carriage return on its own, line ends that only YAML knows, invisible characters, and those that change the
# direction of writing (Boucher and Anderson 2021, "Trojan Source"). U+200C and U+200D stay: some scripts need them.
_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|\r(?!\n)|[\u2028\u2029]"
    "|[\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\uffa0\U000e0000-\U000e007f]"
    "|(?<!^)\ufeff"
)

_SCALARS: dict[str, tuple[str, str]] = {
    "tag:yaml.org,2002:null": (r"^(?:null|~|)$", "~n\0"),
    "tag:yaml.org,2002:bool": (r"^(?:true|false)$", "tf"),
    # Any number of 18 digits fits into 64 bits; a longer run of digits is an identifier and stays text.
    "tag:yaml.org,2002:int": (r"^[-+]?(?:0|[1-9][0-9]{0,17})$", "-+0123456789"),
    "tag:yaml.org,2002:float": (r"^[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?$", "-+0123456789"),
}


class _StrictLoader(yaml.SafeLoader):
    """A SafeLoader with its own, smaller set of implicit types, and no references."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own protocol

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._nodes = 0

    def scan_directive(self) -> NoReturn:
        """Refuse `%YAML`, `%TAG` and the unknown directives that PyYAML ignores."""
        problem = "directives ('%…') are not allowed"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=self.get_mark())

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse anchors, aliases, explicit tags, and too many levels or nodes, before a node is built or entered."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if problem := self._problem(event):
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        self._nodes += 1
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _problem(self, event: Any) -> str | None:  # noqa: ANN401 - PyYAML's events share no type with an anchor
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            return "anchors and aliases are not allowed"
        if event.tag is not None:
            return "tags ('!…') are not allowed"
        if self._depth >= MAX_DEPTH:
            return f"expected at most {MAX_DEPTH} nested levels, got more"
        if self._nodes >= MAX_NODES:
            return (
                f"expected at most {MAX_NODES} keys and values, got more; put a long list into a file beside the spec"
            )
        return None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Refuse duplicate keys, and keys that are not text."""
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
                # repr, shortened: the key comes from an untrusted file, and a terminal obeys control characters.
                problem = f"the key {key!r:.42} occurs twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> str:
        """Join surrogate pairs, which JSON escapes produce; refuse a lone surrogate, which UTF-8 cannot encode."""
        value: str = super().construct_scalar(node)
        try:
            return value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            problem = "an escape names half a character (a lone surrogate), which is not text"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None


for _tag, (_pattern, _first) in _SCALARS.items():
    for _character in _first:
        _StrictLoader.yaml_implicit_resolvers.setdefault("" if _character == "\0" else _character, []).append(
            (_tag, re.compile(_pattern))
        )


KeyPath = tuple["str | int", ...]
"""Where a key or item is: the keys and numbers that lead to it."""


@dataclass(frozen=True)
class Scalar:
    """Where a scalar is in a document: its character offsets, and its quotes or block mark, if any."""

    start: int
    end: int
    style: str | None


@dataclass(frozen=True)
class Parsed:
    """A document as plain values, with the place of each.

    Attributes:
        content: The plain values.
        lines: The line of every key and item, from 1.
        scalars: Where every scalar is.
    """

    content: Any
    lines: Mapping[KeyPath, int]
    scalars: Mapping[KeyPath, Scalar]


def load(text: str, *, source: str) -> Any:  # noqa: ANN401 - a document is any tree of plain values
    """Parse one YAML document into plain values.

    Args:
        text: The document.
        source: How messages name it: a path, as the user gave it.

    Raises:
        SpecError: The text is too large, too deep, not YAML, or uses what is refused; with its line.
    """
    return _composed(text, source)[1]


def parse(text: str, *, source: str) -> Parsed:
    """Parse one YAML document into plain values, and keep where each of them is.

    Args:
        text: The document.
        source: How messages name it: a path, as the user gave it.

    Raises:
        SpecError: As `load`.
    """
    node, content = _composed(text, source)
    lines: dict[KeyPath, int] = {}
    scalars: dict[KeyPath, Scalar] = {}
    if node is not None:
        _locate(node, (), lines, scalars)
    return Parsed(content, lines, scalars)


def _composed(text: str, source: str) -> tuple[yaml.Node | None, Any]:
    """Return the root node of a document, and its plain values."""
    _check_text(text, source)
    loader = _StrictLoader(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise SpecError(f"{where}: not valid YAML here: {what}.") from None
    except (ValueError, OverflowError):  # PyYAML does not catch what chr() raises
        raise SpecError(
            f"{source}:{loader.line + 1}: not valid YAML: an escape names a character that does not exist."
        ) from None


def _locate(node: yaml.Node, at: KeyPath, lines: dict[KeyPath, int], scalars: dict[KeyPath, Scalar]) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        scalars[at] = Scalar(node.start_mark.index, node.end_mark.index, node.style)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*at, key.value)
            lines[here] = key.start_mark.line + 1
            _locate(value, here, lines, scalars)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _locate(item, (*at, number), lines, scalars)


def read(path: Path) -> str:
    """Read a document's text, bounded in size.

    Raises:
        SpecError: The file is missing, unreadable, not a regular file, too large, or not UTF-8.
    """
    try:
        with open(path, "rb", opener=_open_regular) as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecError(f"{path}: cannot be read ({error.strerror}). Give the path of a YAML file.") from None
    except ValueError:
        raise SpecError(
            "the path contains a null character, which no path may. Give the path of a YAML file."
        ) from None
    _check_size(len(content), str(path))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SpecError(f"{path}:{line}: expected UTF-8 text, got other bytes. Save the file as UTF-8.") from None


def _open_regular(path: str, flags: int) -> int:
    """Open a regular file; a pipe or a device may have no end, or make the reader wait."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file")


def _check_size(size: int, source: str) -> None:
    if size > MAX_BYTES:
        raise SpecError(f"{source}: expected at most {MAX_BYTES // 1024} KiB of YAML, got more.")


def _check_text(text: str, source: str) -> None:
    if found := _REFUSED.search(text):
        character = found.group()
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        name = " ".join((f"U+{ord(character):04X}", unicodedata.name(character, ""))).rstrip()
        raise SpecError(
            f"{source}:{line}:{column}: not valid YAML here: the character {name} is invisible, or makes the text look "
            "different from what it says. Delete it; if a value needs it, write it as an escape in double quotes."
        )
    _check_size(len(text.encode("utf-8")), source)
