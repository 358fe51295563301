"""The faults of a spec for an editor that shows each under its line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monai_unlearn.errors import SpecError

_PLACE = re.compile(r"^[^:\n]*:(\d+)(?::(\d+))?: (.*)$", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class ShownFault:
    """A fault.

    Attributes:
        line: Its line, from 1; 0 where it is about the whole spec.
        column: Its column, from 1; 0 where it is about the whole line.
        width: How many characters it is about; 0 where nothing says so.
        message: What is wrong, and what to do.
        snippet: The line above carets; empty where it may hold values that are not repeated.
    """

    line: int
    column: int
    width: int
    message: str
    snippet: str = ""


def faults_of(error: SpecError) -> list[ShownFault]:
    """Return the faults that an error lists.

    >>> from monai_unlearn.errors import SpecError
    >>> faults_of(SpecError("spec:3:7: not valid YAML here."))[0].line
    3
    """
    if error.faults:
        return [
            ShownFault(
                line=fault.line,
                column=fault.column,
                width=fault.snippet.rpartition("\n")[2].count("^"),
                message=fault.message,
                snippet=fault.snippet,
            )
            for fault in error.faults
        ]
    found = _PLACE.match(str(error))
    if found is None:
        return [ShownFault(line=0, column=0, width=0, message=str(error))]
    column = int(found[2] or 0)
    return [ShownFault(line=int(found[1]), column=column, width=1 if column else 0, message=found[3])]
