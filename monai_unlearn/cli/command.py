"""What all commands share: how an error sets the exit code, and how a result is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from monai_unlearn.errors import UnlearnError, is_interrupt
from monai_unlearn.terminal import json_text, say

if TYPE_CHECKING:
    from collections.abc import Callable


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, for machines.")]

ShowPaths = Annotated[
    bool,
    typer.Option(
        "--paths",
        help="Name faulty and unmatched files by their paths, which may hold names of patients; by default each has a "
        "short handle.",
    ),
]

Keyfile = Annotated[
    Path | None,
    typer.Option(
        "--keyfile",
        metavar="FILE",
        help="The key that the index was pseudonymised with: identifiers that the spec lists are hashed with it.",
    ),
]


class Command(TyperCommand):
    """A command whose `UnlearnError` becomes one message on stderr and its exit code.

    With `--json`, stdout has one document then as well: `{"error": {"kind": …, "message": …}}`.
    """

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # noqa: ANN401 - Typer's signature
        """Run the command; on an `UnlearnError`, exit with its `exit_code`: 2 for bad input, 3 where not accepted."""
        try:
            return super().invoke(ctx)
        except UnlearnError as error:
            if ctx.params.get("as_json"):
                emit_json({"error": {"kind": type(error).__name__, "message": str(error)}})
            say(f"Error: {error}", err=True)
            raise typer.Exit(int(error.exit_code)) from None
        except ImportError as error:
            if is_interrupt(error):
                raise KeyboardInterrupt from None
            raise


def emit_json(document: object) -> None:
    """Print one JSON document on stdout."""
    say(json_text(document, default=str))


def emit(document: object, *, as_json: bool, render: Callable[[], None]) -> None:
    """Print the document as JSON, or call `render`, which prints it for people."""
    if as_json:
        emit_json(document)
    else:
        render()
