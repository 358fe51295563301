r"""The edge at which texts leave for terminals and files: what could steer a terminal is shown escaped.

Class names, tags and file names come from anywhere. Printed as they are, an escape sequence in one of them could
recolour, overwrite or retitle what a reader sees (CWE-150). Every printer of the package goes through this module.

>>> escaped("a\x1b[31mb\u202e"), escaped("two\nlines")
('a\\x1b[31mb\\u202e', 'two\nlines')
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

# Control characters but tab and newline, marks of direction, separators of lines, and what is not text at all.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str) -> str:
    """Return a text in which characters that could steer a terminal are shown by their codes."""
    return _STEERING.sub(lambda found: _code(found[0]), text)


def _code(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number <= 0xFF else f"\\u{number:04x}"  # noqa: PLR2004 - two hex digits


def json_text(document: object, **options: Any) -> str:  # noqa: ANN401 - options of json.dumps
    r"""Return indented JSON in which the same characters are escaped as JSON does it; it is read as the same document.

    >>> print(json_text(["\x9b31m", "ä"]))
    [
      "\u009b31m",
      "ä"
    ]

    Args:
        document: Plain values.
        options: Further options of `json.dumps`.

    Raises:
        ValueError: An option forbids a value of the document.
    """
    text = json.dumps(document, **{"indent": 2, "ensure_ascii": False, **options})
    # No control character but newlines is left outside strings, so each one found stands within a string.
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(*lines: object, err: bool = False) -> None:
    """Print lines on stdout, or on stderr."""
    print(*(escaped(str(line)) for line in lines), sep="\n", file=sys.stderr if err else sys.stdout, flush=True)


def escaping_console(**options: Any) -> Console:  # noqa: ANN401 - options of rich's Console
    """Return a console of rich that escapes what it prints, in tables and progress bars as well.

    It does not interpret rich's markup: a class may be called `[bold]`.

    Args:
        options: Further options of `rich.console.Console`.
    """
    return _console_class()(markup=False, **options)


@cache
def _console_class() -> type[Console]:
    """Return the class, made when it is first needed: rich is not loaded for a command that prints JSON."""
    from rich.console import Console
    from rich.segment import Segment

    class EscapingConsole(Console):
        def render(self, *arguments: Any, **options: Any) -> Iterable[Segment]:  # noqa: ANN401 - rich's signature
            for segment in super().render(*arguments, **options):
                # Segments with control codes are rich's own: they move the cursor of a progress bar.
                is_plain = segment.control is not None or not _STEERING.search(segment.text)
                yield segment if is_plain else Segment(escaped(segment.text), segment.style)

    return EscapingConsole
