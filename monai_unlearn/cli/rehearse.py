"""`monai-unlearn rehearse`: practise a revision on cohorts like the real one, and write the protocol to apply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.cli.experiment_options import (
    Bundle,
    Fix,
    IndexFolder,
    Jobs,
    Methods,
    Out,
    Seed,
    Seeds,
    Tracking,
    Trials,
    config_of,
    names_in,
    progress_bar,
    said_how_to_go_on,
    show_table,
)
from monai_unlearn.cli.index_check import Trust  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

_HELP = (
    "Practise a revision on cohorts like the real one, judge each against retrained networks, and write protocol.yaml: "
    "method, settings, what they are qualified for, and a bound on how often they fail.\n\n"
    "Apply it with `python -m monai.bundle run unlearn … --protocol protocol.yaml`, which needs no retrained network. "
    "Call rehearse again with the same --out to continue after an interruption, or to draw more: finished runs are "
    "kept.\n\n"
    "Exit codes: 0 done, 1 a run failed, 2 bad input, or an index that gives no such cohorts, 130 interrupted."
)
_EXAMPLE = (
    "Example: monai-unlearn rehearse BUNDLE --index index/ --spec retire-camera.yaml --draw 10 "
    "--methods reset,psg,finetune --seeds 3 --out rehearsal/"
)


_Spec = Annotated[
    list[Path],
    typer.Option(
        "--spec",
        metavar="FILE",
        help="A cohort spec; repeatable. With --draw, the first is the real cohort, which is not rehearsed on.",
    ),
]
_Draw = Annotated[int, typer.Option("--draw", metavar="N", help="Draw N cohorts like the first spec, to be counted.")]
_TuneOn = Annotated[
    int, typer.Option("--tune-on", metavar="N", help="How many further cohorts choose the settings; not counted.")
]
_Predictors = Annotated[
    str | None,
    typer.Option(
        "--predictors", metavar="NAME,NAME…", help="Predictors of retraining whose error to measure along the way."
    ),
]
_DeepOption = Annotated[
    bool,
    typer.Option(
        "--deep",
        help="Compare many small networks that forgot the first counted cohort with as many trained without it, image "
        "by image (KLoM).",
    ),
]
_DeepNetworks = Annotated[
    int, typer.Option("--deep-networks", metavar="N", help="With --deep: how many of each, at least 20.")
]
_Small = Annotated[
    list[str] | None,
    typer.Option(
        "--small",
        metavar="ID=VALUE",
        help="With --deep: a setting of training that makes these networks small, such as max_epochs=3; repeatable.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rehearse", cls=Command, help=_HELP, epilog=_EXAMPLE)(rehearse)


def rehearse(  # noqa: PLR0913 - Typer takes an option as a parameter
    bundle: Bundle,
    *,
    index: IndexFolder,
    spec: _Spec,
    out: Out,
    draw: _Draw = 0,
    tune_on: _TuneOn = 2,
    methods: Methods = "reset,psg,finetune",
    seeds: Seeds = 3,
    trials: Trials = 6,
    fix: Fix = None,
    predictors: _Predictors = None,
    deep: _DeepOption = False,
    deep_networks: _DeepNetworks = 20,
    small: _Small = None,
    jobs: Jobs = 1,
    seed: Seed = 0,
    tracking: Tracking = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Practise a revision."""
    from monai_unlearn.experiments.deep import SET_BY_DEEP
    from monai_unlearn.experiments.rehearsal_plan import RehearsalPlan
    from monai_unlearn.experiments.rehearsal_runs import SET_BY_REHEARSE
    from monai_unlearn.experiments.rehearse import rehearse as run
    from monai_unlearn.experiments.settings import read_fixed
    from monai_unlearn.experiments.tracking import tracked

    plan = RehearsalPlan(
        config=config_of(bundle),
        index=index,
        specs=spec,
        draw=draw,
        tune_on=tune_on,
        methods=names_in(methods),
        seeds=seeds,
        trials=trials,
        fixed=read_fixed(fix or (), {}, set_by=SET_BY_REHEARSE),
        jobs=jobs,
        seed=seed,
        predictors=names_in(predictors or ""),
        deep=deep_networks if deep else 0,
        small=read_fixed(small or (), {}, set_by={**SET_BY_REHEARSE, **SET_BY_DEEP}, option="--small"),
        trust=trust,
    )
    with (
        said_how_to_go_on(),
        tracked(tracking, "rehearse", out) as record,
        progress_bar("Rehearsing") as advance,
    ):
        document = run(plan, out, progress=advance, note=lambda text: say(f"Warning: {text}", err=True))
        record(document)
    emit(document, as_json=as_json, render=lambda: _show(document, out))


def _show(document: Mapping[str, Any], out: Path) -> None:
    from monai_unlearn.experiments.rehearsal_report import deep_table, table

    show_table(*table(document))
    if "deep" in document:
        show_table(*deep_table(document["deep"]))
    say(f"{document['chosen']}: {document['line']}.")
    say(f"The protocol is {document['protocol']}; tables, plot and runs are in {out}.")
