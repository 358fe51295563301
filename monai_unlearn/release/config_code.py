"""Finds the code in configs: MONAI executes expressions, imports and components when it reads them.

What executes: a text that begins with `$` is Python (`monai.bundle.ConfigExpression`), `_target_` names what is called
(`ConfigComponent`), `%` includes another file, and Python's `logging.config.fileConfig` evaluates `class`, `args` and
`kwargs` of a `logging.conf`.
"""

from __future__ import annotations

import ast
import builtins
import configparser
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INSIDE = ("monai", "torch", "ignite", "monai_unlearn")
"""Packages whose components are expected in configs."""
# Components of these packages that load or fetch code all the same.
_REACHES_OUT = re.compile(
    r"torch\.(hub|load|jit\.load|package|utils\.cpp_extension|ops\.load_library)|monai\.bundle|monai\.apps\.(utils\.)?"
    r"(download|extract)|monai\.networks\.nets\.\w*from_pretrained"
)
_MACRO = "%"
_EVALUATED = ("class", "args", "kwargs")


@dataclass(frozen=True, kw_only=True)
class Code:
    """Something in a config that executes.

    Attributes:
        kind: `expression`, `import`, `target` or `include`.
        where: Its id within the config.
        text: What executes.
        outside: Whether it names a module beyond `INSIDE`, as far as can be told without running it.
    """

    kind: str
    where: str
    text: str
    outside: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def code_of(config: object) -> Iterator[Code]:
    """Yield everything in a config that executes, other than components of the packages that are expected.

    Args:
        config: The config, as it is written.

    >>> [one.text for one in code_of({"net": {"_target_": "ResNet"}, "files": "$glob('*')"})]
    ["$glob('*')"]
    """
    yield from _walk(config, ())


def code_of_logging(text: str) -> Iterator[Code]:
    """Yield the values of a `logging.conf` that Python evaluates.

    Args:
        text: The content of the file.

    Raises:
        configparser.Error: The file is no such config.
    """
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    for section in parser.sections():
        for key in _EVALUATED:
            if parser.has_option(section, key):
                value = parser.get(section, key)
                yield Code(kind="expression", where=f"{section}::{key}", text=value, outside=not _is_of_logging(value))


def _is_of_logging(value: str) -> bool:
    return bool(re.fullmatch(r"\w+|\(\s*(sys\.std(out|err)\s*,?)?\s*\)|logging(\.\w+)+", value.strip()))


def _walk(node: object, where: tuple[str, ...]) -> Iterator[Code]:
    if isinstance(node, dict):
        for key, value in node.items():
            inner = (*where, str(key))
            if str(key).split("#")[-1].split("::")[-1] == "_target_":
                yield from _target(value, inner)
            else:
                yield from _walk(value, inner)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _walk(value, (*where, str(number)))
    elif isinstance(node, str):
        yield from _text(node, where)


def _target(value: object, where: tuple[str, ...]) -> Iterator[Code]:
    text = str(value)
    if text.startswith("$"):
        yield from _text(text, where)
        return
    # A name without a dot is looked up within monai, and then among Python's own, such as `open`.
    first = text.partition(".")[0]
    outside = first not in INSIDE and ("." in text or hasattr(builtins, text))
    if outside or _REACHES_OUT.search(text):
        yield Code(kind="target", where="::".join(where), text=text, outside=outside)


def _text(text: str, where: tuple[str, ...]) -> Iterator[Code]:
    place = "::".join(where)
    if text.startswith(_MACRO):
        yield Code(kind="include", where=place, text=text, outside=text[1:2] in ("/", "~") or ".." in text)
    elif text.startswith("$"):
        tree = _parsed(text[1:])
        modules = None if tree is None else _imported(tree)
        kind = "import" if modules else "expression"
        outside = modules is None or any(name.partition(".")[0] not in INSIDE for name in modules)
        yield Code(kind=kind, where=place, text=text, outside=outside if kind == "import" else _calls_out(text))


def _parsed(text: str) -> ast.Module | None:
    """Return the tree of an expression, in which references such as `@a::b` stand for names; None for other text."""
    try:
        return ast.parse(re.sub(r"@[\w:#.]*\w", "_reference", text).strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imported(tree: ast.Module) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or ".")
    return names


def _calls_out(text: str) -> bool:
    """Return whether an expression plainly reaches beyond computing: files, processes, network, other code."""
    return bool(_REACHES_OUT.search(text) or _DANGEROUS.search(text))


_DANGEROUS = re.compile(
    r"__\w+__|\b(os|sys|subprocess|shutil|socket|urllib|requests|importlib|pickle|ctypes|builtins|pathlib)\b"
    r"|\b(open|exec|eval|compile|getattr|globals|input)\s*\("
)


def counts(found: Mapping[str, list[Code]]) -> dict[str, int]:
    """Return how many there are of each kind, over all configs."""
    kinds = [one.kind for codes in found.values() for one in codes]
    return {kind: kinds.count(kind) for kind in ("expression", "import", "target", "include")}
