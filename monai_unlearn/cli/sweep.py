"""`monai-unlearn sweep`: try a grid of settings, and choose among them without test images."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.cli.experiment_options import (
    Fix,
    IndexFolder,
    Out,
    Tracking,
    progress_bar,
    said_how_to_go_on,
    show_table,
)
from monai_unlearn.cli.index_check import Trust  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

_HELP = (
    "Try a grid of settings: one bundle run per combination, and a table of the results.\n\n"
    "The best is chosen by validation images, never by test images. Call it again with the same --out to continue "
    "after an interruption, or to add values: finished runs are kept.\n\n"
    "Exit codes: 0 success, 1 every run failed, 2 bad input or no validation images, 130 interrupted."
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
    index: IndexFolder,
    out: Out,
    *,
    swept: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="ID=V1,V2,…", help="A config id and the values to try; repeatable."),
    ] = None,
    fix: Fix = None,
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
    tracking: Tracking = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Try a grid of settings."""
    from monai_unlearn.experiments import run
    from monai_unlearn.experiments.plan import Plan
    from monai_unlearn.experiments.settings import read_axes, read_fixed
    from monai_unlearn.experiments.tracking import tracked

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
    with said_how_to_go_on(), tracked(tracking, "sweep", out) as record, progress_bar("Runs") as advance:
        document = run.sweep(plan, out, criterion=criterion, progress=lambda done, total: advance("", done, total))
        record(document)
    emit(document, as_json=as_json, render=lambda: _show(document, out))


def _show(document: Mapping[str, Any], out: Path) -> None:
    from monai_unlearn.experiments.report import best_settings, table

    show_table(*table(document))
    if settings := best_settings(document):
        say(f"Best on validation images, by {document['criterion']['formula']}: {settings}")
    say(f"The table, the plot and the runs are in {out}.")
