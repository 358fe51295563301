"""`monai-unlearn sweep`: try a grid of settings, and choose among them without test images."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.cli.index_check import Trust  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.terminal import escaping_console, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_HELP = (
    "Try a grid of settings: one bundle run per combination, and a table of the results.\n\n"
    "The best is chosen by validation images, never by test images. Call it again with the same --out to continue "
    "after an interruption, or to add values: finished runs are kept.\n\n"
    "Exit codes: 0 success, 1 every run failed, 2 bad input or no validation images."
)
_EXAMPLE = (
    "Example: monai-unlearn sweep BUNDLE/configs/unlearn.yaml SPEC --index index/ --out sweep/ --reference retrain "
    "--set method::proximity_weight=0,0.001,0.1 --set method::noise=0,0.1,1 --fix split::validation_fraction=0.1"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep", cls=Command, help=_HELP, epilog=_EXAMPLE)(sweep)


def sweep(  # noqa: PLR0913 - Typer takes an option as a parameter
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The bundle's configs/unlearn.yaml.")],
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="The cohort spec, a YAML file.")],
    index: Annotated[
        Path, typer.Option("--index", metavar="DIR", help="The image index, as `monai-unlearn index build` wrote it.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="The folder to write to: new, empty, or that of an earlier sweep."),
    ],
    *,
    swept: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="ID=V1,V2,…", help="A config id and the values to try; repeatable."),
    ] = None,
    fix: Annotated[
        list[str] | None,
        typer.Option("--fix", metavar="ID=VALUE", help="A config id and its value in all runs; repeatable."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference", metavar="retrain|FILE", help="The retrained model to compare with; `retrain` makes it once."
        ),
    ] = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            "--criterion",
            metavar="gap_to_reference|erase",
            help="What to minimise. Default: gap_to_reference with a reference, else erase.",
        ),
    ] = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Try a grid of settings."""
    from monai_unlearn.experiments import run
    from monai_unlearn.experiments.plan import Plan
    from monai_unlearn.experiments.settings import read_axes, read_fixed

    axes = read_axes(swept or ())
    plan = Plan(
        config=config,
        spec=spec,
        index=index,
        axes=axes,
        fixed=read_fixed(fix or (), axes),
        reference=reference,
        trust=trust,
    )
    with _progress_bar() as advance:
        document = run.sweep(plan, out, criterion=criterion, progress=advance)
    emit(document, as_json=as_json, render=lambda: _show(document, out))


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr; yield a function that moves it to the number of trials done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=escaping_console(stderr=True)) as progress:
        task = progress.add_task("Runs", total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield advance


def _show(document: Mapping[str, Any], out: Path) -> None:
    from rich.table import Table

    from monai_unlearn.experiments.report import best_settings, table

    headings, rows = table(document)
    shown = Table(*headings)
    for row in rows:
        shown.add_row(*row)
    escaping_console().print(shown)
    if settings := best_settings(document):
        say(f"Best on validation images, by {document['criterion']['formula']}: {settings}")
    say(f"The table, the plot and the runs are in {out}.")
