"""`monai-unlearn index report`: what an index contains."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, ShowPaths, emit
from monai_unlearn.cli.index_check import Trust, with_check
from monai_unlearn.terminal import escaping_console

_HELP = (
    "Show what an index contains: its images, its faults by code with examples, how many images have each tag, "
    "its devices.\n\n"
    "No image is opened.\n\n"
    "Exit codes: 0 success, 2 the index cannot be read."
)


def register(app: typer.Typer) -> None:
    """Add the command to the group of index commands."""
    app.command("report", cls=Command, help=_HELP, epilog="Example: monai-unlearn index report index/")(report)


def report(
    index: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the index.")],
    *,
    trust: Trust = False,
    paths: ShowPaths = False,
    as_json: AsJson = False,
) -> None:
    """Show what an index contains."""
    from monai_unlearn.index import Index
    from monai_unlearn.index.summary import summarise, without_paths

    opened = Index.open(index, trust=trust)
    summary = summarise(opened)
    document = with_check(summary if paths else without_paths(summary), opened)

    def show() -> None:
        from monai_unlearn.index import summary_view

        summary_view.show(document, escaping_console())

    emit(document, as_json=as_json, render=show)
