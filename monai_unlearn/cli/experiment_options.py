"""What `sweep` and `rehearse` share: options, the bar that shows how far they are, and the table of results."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.terminal import escaping_console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

IndexFolder = Annotated[
    Path, typer.Option("--index", metavar="DIR", help="The image index, as `monai-unlearn index build` wrote it.")
]
Out = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", help="The folder to write to: new, empty, or that an earlier call wrote."),
]
Fix = Annotated[
    list[str] | None,
    typer.Option("--fix", metavar="ID=VALUE", help="A config id and its value in all runs; repeatable."),
]


@contextmanager
def progress_bar(doing: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on stderr; yield a function that says what is going on and moves it to the number of runs done.

    Args:
        doing: What the command does, which stands before the bar.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=escaping_console(stderr=True)) as progress:
        task = progress.add_task(doing, total=None)

        def advance(what: str, done: int, total: int) -> None:
            described = f"{doing}: {what}" if what else doing
            progress.update(task, description=described, completed=done, total=total)

        yield advance


def names_in(text: str) -> list[str]:
    """Return the words of a list that is separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def show_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout."""
    from rich.table import Table

    shown = Table(*headings)
    for row in rows:
        shown.add_row(*row)
    escaping_console().print(shown)
