"""`monai-unlearn compose`: two revised bundles of the same network become one."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command
from monai_unlearn.cli.experiment_options import end_with

_HELP = (
    "Compose two revisions of one bundle, or a revision and its original, into one bundle with card and verdict.\n\n"
    "Both must have forgotten the same cohort of the same index. splice takes the features of A and the classifier of "
    "B. linear takes (1 - w) A + w B; task_vectors takes the original and w times what both revisions changed; "
    "ensemble keeps both networks and takes (1 - w) A + w B of their logits; w is the best of 0, 0.1, ... 1 on "
    "validation images, or --weight. BatchNorm is then recalibrated on remain images. The original, the index, the "
    "spec and the retrained networks are those that the runs of A and B used.\n\n"
    "A composition remembers whatever either part remembers: read the verdict.\n\n"
    "Exit codes: 0 the verdict promotes the composition, 3 it does not (all is written), 2 bad input (nothing is "
    "written), 1 unexpected, 130 interrupted."
)
_EXAMPLE = "Example: monai-unlearn compose --a keeps-well/ --b forgets-well/ --out composed/ --by linear"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compose", cls=Command, help=_HELP, epilog=_EXAMPLE)(compose)


def compose(  # noqa: PLR0913 - Typer takes an option as a parameter
    *,
    a: Annotated[
        Path, typer.Option("--a", metavar="DIR", help="A run's output folder, or the bundle in it; or the original.")
    ],
    b: Annotated[Path, typer.Option("--b", metavar="DIR", help="The other one.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the results: new or empty.")],
    by: Annotated[
        str, typer.Option("--by", metavar="KIND", help="splice, linear, task_vectors or ensemble.")
    ] = "splice",
    classifier: Annotated[
        str | None,
        typer.Option("--classifier", metavar="DEPTH", help="What a splice takes of B: head, last_block, or N blocks."),
    ] = None,
    weight: Annotated[
        float | None, typer.Option("--weight", metavar="W", help="The coefficient, in [0, 1]; chosen by default.")
    ] = None,
    original: Annotated[
        Path | None, typer.Option("--original", metavar="BUNDLE", help="The bundle that both were revised from.")
    ] = None,
    index: Annotated[Path | None, typer.Option("--index", metavar="DIR", help="The image index, if it moved.")] = None,
    spec: Annotated[Path | None, typer.Option("--spec", metavar="FILE", help="The cohort spec, if it moved.")] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            "--reference",
            metavar="retrain|FILE",
            help="What to compare with, if not with what the runs did: `retrain`, or weights trained without the "
            "cohort; files are repeatable.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compose two bundles."""
    from monai_unlearn.experiments.compose import compose as run
    from monai_unlearn.experiments.composition_plan import CompositionPlan

    plan = CompositionPlan(
        a=a,
        b=b,
        by=by,
        classifier=int(classifier) if classifier and classifier.isdecimal() else classifier,
        weight=weight,
        original=original,
        index=index,
        spec=spec,
        references=reference or (),
    )
    end_with(lambda: run(plan, out, quiet=as_json), as_json=as_json)
