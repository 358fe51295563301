"""What commands of experiments share: options, the bar that shows how far they are, tables, and how a revision ends."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import emit_json
from monai_unlearn.terminal import escaping_console, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from monai_unlearn.experiments.unlearn import Revised

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


Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle, or its configs/unlearn.yaml.")]
Methods = Annotated[str, typer.Option("--methods", metavar="NAME,NAME…", help="The methods, by commas, or all.")]
Seeds = Annotated[
    int, typer.Option("--seeds", metavar="N", help="How many networks to retrain without each cohort, at least 3.")
]
Trials = Annotated[
    int, typer.Option("--trials", metavar="N", help="How many settings of each method to try; 1 needs no Optuna.")
]
Jobs = Annotated[int, typer.Option("--jobs", metavar="N", help="How many runs at once.")]
Tracking = Annotated[
    str | None,
    typer.Option("--tracking", metavar="mlflow", help="Record it in MLflow, with every run nested in one of its own."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Seeds draws and choices.")]


def config_of(bundle: Path) -> Path:
    """Return the `unlearn.yaml` that a bundle, or the file itself, stands for."""
    return bundle / "configs" / "unlearn.yaml" if bundle.is_dir() else bundle


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


@contextmanager
def said_how_to_go_on() -> Iterator[None]:
    """Tell a user who interrupts the block how to go on: an experiment keeps the runs that are finished."""
    try:
        yield
    except KeyboardInterrupt:
        say("Interrupted. To go on, call the same command again: finished runs are kept.", err=True)
        raise


def names_in(text: str) -> list[str]:
    """Return the words of a list that is separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def end_with(run: Callable[[], Revised], *, as_json: bool) -> None:
    """Run a revision, and end the command as it ended.

    Args:
        run: Revises.
        as_json: Whether to print its summary, or why there is none, on stdout.

    Raises:
        typer.Exit: It was interrupted, or its exit code is not 0.
    """
    from monai_unlearn.experiments.unlearn import INTERRUPTED, StoppedError

    try:
        done = run()
    except StoppedError as error:
        say(error, err=True)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        failed = {"error": {"kind": done.kind, "message": done.error}}
        emit_json(failed if done.result is None else done.result.summary())
    if done.exit_code:
        raise typer.Exit(done.exit_code)


def show_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout."""
    from rich.table import Table

    shown = Table(*headings)
    for row in rows:
        shown.add_row(*row)
    escaping_console().print(shown)
