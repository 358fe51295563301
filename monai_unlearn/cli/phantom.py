"""`monai-unlearn phantom`: synthetic studies to try the other commands on."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.errors import InputError
from monai_unlearn.terminal import escaping_console, say
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monai_unlearn.phantom import Summary

app = typer.Typer(help="Write synthetic studies to try the other commands on.", no_args_is_help=True)

_OUT = typer.Argument(help="The folder to write to: new or empty.", show_default=False)
_OUT_OPTION = typer.Option("--out", metavar="DIR", help="The folder to write to, as an option.", show_default=False)
_Seed = Annotated[int, typer.Option(help="Which patients to draw: the same seed gives the same bytes.")]

_Severity = Annotated[float, typer.Option(help="How marked disease is, as a factor, 0.5 to 3; 1 is as in the clinic.")]
_Unread = Annotated[
    str | None,
    typer.Option(metavar="STATION", help="File all images of this station as healthy, whatever they show."),
]


@app.command(cls=Command)
def fundus(
    out: Annotated[Path, _OUT],
    *,
    patients: Annotated[int, typer.Option(help="How many patients; some come twice.")] = 300,
    seed: _Seed = 0,
    size: Annotated[int, typer.Option(help="Pixels per side of every image, 64 to 2048.")] = 256,
    eyes: Annotated[int, typer.Option(help="How many eyes of each patient are photographed, 1 or 2.")] = 2,
    unread: _Unread = None,
    as_json: AsJson = False,
) -> None:
    """Draw fundus photographs by two cameras, of three diagnoses: DICOM files and a table of labels."""
    from monai_unlearn.phantom import write_fundus_studies

    with _progress_bar(patients) as advance:
        summary = write_fundus_studies(
            out, patients=patients, seed=seed, size=size, eyes=eyes, unread=unread, progress=advance
        )
    emit(summary.document(), as_json=as_json, render=lambda: _show(summary))


@app.command(cls=Command)
def periorbital(  # noqa: PLR0913 - one for each option
    out: Annotated[Path | None, _OUT] = None,
    *,
    out_option: Annotated[Path | None, _OUT_OPTION] = None,
    patients: Annotated[int, typer.Option(help="How many patients; a quarter of them come twice.")] = 400,
    seed: _Seed = 0,
    size: Annotated[int, typer.Option(help="Pixels across every image, 64 to 2048.")] = 256,
    reports: Annotated[bool, typer.Option(help="Write DICOM measurement reports; needs highdicom.")] = True,
    severity: _Severity = 1.0,
    unread: _Unread = None,
    as_json: AsJson = False,
) -> None:
    """Draw photographs of both eyes, by three cameras, of three diagnoses: DICOM, label maps, measurement reports."""
    from monai_unlearn.phantom import write_periorbital_studies

    target = _one_folder(out, out_option)
    with _progress_bar(patients) as advance:
        summary = write_periorbital_studies(
            target,
            patients=patients,
            seed=seed,
            size=size,
            reports=reports,
            severity=severity,
            unread=unread,
            progress=advance,
        )
    emit(summary.document(), as_json=as_json, render=lambda: _show(summary, measured="across"))


@app.command(cls=Command)
def mri(  # noqa: PLR0913 - one for each option
    out: Annotated[Path | None, _OUT] = None,
    *,
    out_option: Annotated[Path | None, _OUT_OPTION] = None,
    patients: Annotated[int, typer.Option(help="How many patients; a fifth of them come twice.")] = 300,
    seed: _Seed = 0,
    size: Annotated[int, typer.Option(help="Pixels per side of every slice, 32 to 512.")] = 128,
    slices: Annotated[int, typer.Option(help="Slices per series, centred on the tumour, 1 to 15.")] = 3,
    nifti: Annotated[
        bool, typer.Option("--nifti", help="Write whole heads as NIfTI with masks instead of DICOM slices.")
    ] = False,
    severity: _Severity = 1.0,
    unread: _Unread = None,
    as_json: AsJson = False,
) -> None:
    """Draw head MR by three scanners, with one of three tumours or none: DICOM or NIfTI, and a table of labels."""
    from monai_unlearn.phantom import write_mri_studies

    target = _one_folder(out, out_option)
    with _progress_bar(patients) as advance:
        summary = write_mri_studies(
            target,
            patients=patients,
            seed=seed,
            size=size,
            slices=slices,
            nifti=nifti,
            severity=severity,
            unread=unread,
            progress=advance,
        )
    emit(summary.document(), as_json=as_json, render=lambda: _show(summary))


def _one_folder(argument: Path | None, option: Path | None) -> Path:
    """Return the folder, given as an argument or as an option."""
    found = [path for path in (argument, option) if path is not None]
    if len(found) != 1:
        raise InputError(f"Expected one folder to write to, got {len(found)}. Give it as OUT or as --out DIR.")
    return found[0]


@contextmanager
def _progress_bar(patients: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr; yield a function that moves it to a number of patients."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=escaping_console(stderr=True)) as progress:
        task = progress.add_task("Patients", total=patients, rate="")

        def advance(done: int) -> None:
            speed = progress.tasks[task].speed
            progress.update(task, completed=done, rate=f"{speed:.1f}/s" if speed else "")

        yield advance


def _show(summary: Summary, *, measured: str = "per side") -> None:
    size = f"{summary.size} pixels {measured}"
    say(f"{counted(summary.images, 'image')} of {counted(summary.patients, 'patient')}, {size}: {summary.out}")
    for title, counts in (
        ("by device", summary.devices),
        ("by diagnosis", summary.diagnoses),
        ("without their tag of", summary.lacking),
    ):
        say(f"  {title}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    say("Next:")
    say(f"  {summary.next_command}")
