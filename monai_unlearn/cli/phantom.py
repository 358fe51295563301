"""`monai-unlearn phantom`: synthetic studies to try everything else on."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, emit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monai_unlearn.phantom import Summary

app = typer.Typer(help="Write synthetic studies to try everything else on.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    # With a callback, Typer keeps `fundus` as a word of the command line although it is the only one.
    pass


@app.command(cls=Command)
def fundus(
    out: Annotated[Path, typer.Argument(help="Where to: a folder that is new or empty.", show_default=False)],
    *,
    patients: Annotated[int, typer.Option(help="How many patients; each has both eyes photographed.")] = 300,
    seed: Annotated[int, typer.Option(help="Which patients: the same seed gives the same bytes.")] = 0,
    size: Annotated[int, typer.Option(help="Pixels a side of every image, 64 to 2048.")] = 256,
    as_json: AsJson = False,
) -> None:
    """Draw fundus photographs of two cameras and three diagnoses: DICOM files and a table of labels."""
    from monai_unlearn.phantom import write_fundus_studies

    with _progress_bar(patients) as advance:
        summary = write_fundus_studies(out, patients=patients, seed=seed, size=size, progress=advance)
    emit(summary.document(), as_json=as_json, render=lambda: _show(summary))


@contextmanager
def _progress_bar(patients: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr; yield what moves it to a number of patients."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("Patients", total=patients, rate="")

        def advance(done: int) -> None:
            speed = progress.tasks[task].speed
            progress.update(task, completed=done, rate=f"{speed:.1f}/s" if speed else "")

        yield advance


def _show(summary: Summary) -> None:
    typer.echo(f"{summary.images} images of {summary.patients} patients, {summary.size} pixels a side: {summary.out}")
    for title, counts in (
        ("by device", summary.devices),
        ("by diagnosis", summary.diagnoses),
        ("without their tag of", summary.lacking),
    ):
        typer.echo(f"  {title}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    typer.echo("Next:")
    typer.echo(f"  {summary.next_command}")
