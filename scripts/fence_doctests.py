"""An extension of griffe for the documentation site: doctests of docstrings become blocks of code."""

from __future__ import annotations

import re
from typing import Any

import griffe

# From a prompt to the blank line that ends the example, output included; within a section of examples it is indented.
DOCTEST = re.compile(r"^( *)>>> .*\n?(?:^.*\S.*\n?)*", re.MULTILINE)


class FenceDoctests(griffe.Extension):
    """Fences the doctests that stand in running text: Markdown would take `>>>` for quotations."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:  # noqa: ANN401, ARG002 - griffe's signature
        """Rewrite the docstring of an object."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(docstring: str) -> str:
    return DOCTEST.sub(lambda found: f"{found[1]}```pycon\n{found[0].rstrip()}\n{found[1]}```\n", docstring)
