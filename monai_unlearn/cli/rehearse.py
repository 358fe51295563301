"""`monai-unlearn rehearse`: practise a revision on cohorts like the real one, and write the protocol to apply."""

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
    "Practise a revision on cohorts like the real one, judge each against retrained networks, and write protocol.yaml: "
    "method, settings, what they are qualified for, and a bound on how often they fail.\n\n"
    "Apply it with `python -m monai.bundle run unlearn … --protocol protocol.yaml`, which needs no retrained network. "
    "Call rehearse again with the same --out to continue after an interruption, or to draw more: finished runs are "
    "kept.\n\n"
    "Exit codes: 0 done, 1 a run failed, 2 bad input, or the index gives no such cohorts."
)
_EXAMPLE = (
    "Example: monai-unlearn rehearse BUNDLE --index index/ --spec retire-camera.yaml --draw 10 "
    "--methods reset,psg,finetune --seeds 3 --out rehearsal/"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rehearse", cls=Command, help=_HELP, epilog=_EXAMPLE)(rehearse)


def rehearse(  # noqa: PLR0913 - Typer takes an option as a parameter
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle, or its configs/unlearn.yaml.")],
    *,
    index: Annotated[
        Path, typer.Option("--index", metavar="DIR", help="The image index, as `monai-unlearn index build` wrote it.")
    ],
    spec: Annotated[
        list[Path],
        typer.Option(
            "--spec",
            metavar="FILE",
            help="A cohort spec; repeatable. With --draw, the first is the real cohort, which is not rehearsed on.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="The folder to write to: new, empty, or of an earlier rehearsal."),
    ],
    draw: Annotated[
        int, typer.Option("--draw", metavar="N", help="Draw N cohorts like the first spec, to be counted.")
    ] = 0,
    tune_on: Annotated[
        int, typer.Option("--tune-on", metavar="N", help="How many further cohorts choose the settings; not counted.")
    ] = 2,
    methods: Annotated[
        str, typer.Option("--methods", metavar="NAME,NAME…", help="The methods to try, separated by commas.")
    ] = "reset,psg,finetune",
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", help="How many networks to retrain without each cohort, at least 3.")
    ] = 3,
    trials: Annotated[
        int, typer.Option("--trials", metavar="N", help="How many settings of each method to try; 1 needs no Optuna.")
    ] = 6,
    fix: Annotated[
        list[str] | None,
        typer.Option("--fix", metavar="ID=VALUE", help="A config id and its value in all runs; repeatable."),
    ] = None,
    predictors: Annotated[
        str | None,
        typer.Option(
            "--predictors", metavar="NAME,NAME…", help="Predictors of retraining whose error to measure along the way."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", help="How many runs at once.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Seeds draws and choices.")] = 0,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Practise a revision."""
    from monai_unlearn.experiments.rehearsal_plan import RehearsalPlan
    from monai_unlearn.experiments.rehearsal_runs import SET_BY_REHEARSE
    from monai_unlearn.experiments.rehearse import rehearse as run
    from monai_unlearn.experiments.settings import read_fixed

    plan = RehearsalPlan(
        config=bundle / "configs" / "unlearn.yaml" if bundle.is_dir() else bundle,
        index=index,
        specs=spec,
        draw=draw,
        tune_on=tune_on,
        methods=_names(methods),
        seeds=seeds,
        trials=trials,
        fixed=read_fixed(fix or (), {}, set_by=SET_BY_REHEARSE),
        jobs=jobs,
        seed=seed,
        predictors=_names(predictors or ""),
        trust=trust,
    )
    with _progress_bar() as advance:
        document = run(plan, out, progress=advance)
    emit(document, as_json=as_json, render=lambda: _show(document, out))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@contextmanager
def _progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on stderr; yield a function that says what is going on and moves it to the number of runs done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=escaping_console(stderr=True)) as progress:
        task = progress.add_task("Rehearsing", total=None)

        def advance(what: str, done: int, total: int) -> None:
            progress.update(task, description=f"Rehearsing: {what}", completed=done, total=total)

        yield advance


def _show(document: Mapping[str, Any], out: Path) -> None:
    from rich.table import Table

    from monai_unlearn.experiments.rehearsal_report import table

    headings, rows = table(document)
    shown = Table(*headings)
    for row in rows:
        shown.add_row(*row)
    escaping_console().print(shown)
    say(f"{document['chosen']}: {document['line']}.")
    say(f"The protocol is {document['protocol']}; tables, plot and runs are in {out}.")
