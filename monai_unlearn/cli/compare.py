"""`monai-unlearn compare`: which method, on my data?"""

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
)
from monai_unlearn.cli.index_check import Trust  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.errors import ConfigError
from monai_unlearn.terminal import escaping_console, say

if TYPE_CHECKING:
    from collections.abc import Mapping

_HELP = (
    "Compare methods on your cohorts: every method gets up to --trials settings of those that its record lists, the "
    "best one on validation images is judged on test images, and all against the same retrained networks. Among the "
    "methods, `default` is what the bundle chooses by itself, untuned.\n\n"
    "Writes compare.csv, .json, .md and .html, with plots of gaps, distance against cost, and recall by class. Call it "
    "again with the same --out to continue after an interruption, or with other methods, cohorts or budgets: finished "
    "runs are kept, and so are their rows; a table of another bundle, index, --seeds or --fix is put aside. A method "
    "that fails is a row that says why.\n\n"
    "Exit codes: 0 done, 1 every method failed, 2 bad input, 130 interrupted."
)
_EXAMPLE = (
    "Example: monai-unlearn compare BUNDLE --index index/ --spec retire-camera.yaml --methods reset,psg,finetune "
    "--budget 0.1,0.2 --trials 6 --out comparison/"
)
_Spec = Annotated[list[Path], typer.Option("--spec", metavar="FILE", help="A cohort spec; repeatable.")]
_Budget = Annotated[
    str, typer.Option("--budget", metavar="SHARE,SHARE…", help="Shares of retraining's gradients that a run may take.")
]
_Repeats = Annotated[
    int,
    typer.Option(
        "--repeats",
        metavar="N",
        help="How many times the chosen setting runs, each under another seed; a row has the means, and the least "
        "favourable verdict. 3 show how much of a difference is chance.",
    ),
]
_Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="ID",
        help="A setting that trials vary, such as training::rate_factor, while the others stay where the method starts "
        "from; repeatable. Without it, all that a method's record lists.",
    ),
]
# What of it rehearse sets for another reason: it writes a protocol.
_SET_BY = {
    "budget": "--budget",
    "stop": "every method has the whole budget",
    "protocol": "each method's settings are chosen from its record",
    "accept_bound": "it is about a protocol, and there is none",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", cls=Command, help=_HELP, epilog=_EXAMPLE)(compare)


def compare(  # noqa: PLR0913 - Typer takes an option as a parameter
    bundle: Bundle,
    *,
    index: IndexFolder,
    spec: _Spec,
    out: Out,
    methods: Methods = "all",
    seeds: Seeds = 3,
    budget: _Budget = "0.1",
    trials: Trials = 6,
    repeats: _Repeats = 1,
    vary: _Vary = None,
    fix: Fix = None,
    jobs: Jobs = 1,
    seed: Seed = 0,
    tracking: Tracking = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Compare methods."""
    from monai_unlearn.experiments.compare import compare as run
    from monai_unlearn.experiments.comparison_plan import ComparisonPlan
    from monai_unlearn.experiments.rehearsal_runs import SET_BY_REHEARSE
    from monai_unlearn.experiments.settings import read_fixed
    from monai_unlearn.experiments.tracking import tracked

    plan = ComparisonPlan(
        config=config_of(bundle),
        index=index,
        specs=spec,
        methods=names_in(methods),
        seeds=seeds,
        budgets=_shares(budget),
        trials=trials,
        repeats=repeats,
        vary=vary or (),
        fixed=read_fixed(fix or (), {}, set_by=SET_BY_REHEARSE | _SET_BY),
        jobs=jobs,
        seed=seed,
        trust=trust,
    )
    with said_how_to_go_on(), tracked(tracking, "compare", out) as record, progress_bar("Comparing") as advance:
        document = run(plan, out, progress=advance)
        record(document)
    emit(document, as_json=as_json, render=lambda: show(document, out))


def _shares(text: str) -> list[float]:
    try:
        return [float(word) for word in names_in(text)]
    except ValueError:
        raise ConfigError(f"--budget: expected shares separated by commas, such as 0.1,0.2, got '{text}'.") from None


def show(document: Mapping[str, Any], out: Path) -> None:
    """Print a narrow table for each cohort and budget."""
    from rich import box
    from rich.table import Table

    from monai_unlearn.experiments.comparison_report import SHOWN, tables
    from monai_unlearn.experiments.earlier_table import EARLIER

    console = escaping_console(highlight=False)
    for one in tables(document):
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
        for name, heading in SHOWN.items():
            is_text = name in ("method", "verdict")
            table.add_column(heading, justify="left" if is_text else "right", vertical="bottom", overflow="fold")
        for row in one.rows:
            table.add_row(*row)
        say(one.title)
        console.print(table)
        for reason in one.failed:
            console.print(reason)
    say(f"Tables, plots and runs are in {out}; open {out / 'compare.html'}.")
    if (earlier := out / EARLIER).is_dir():
        say(f"Tables of earlier calls with other settings are in {earlier}.")
