"""`monai-unlearn unlearn`: revise a bundle, as a process of its own."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, emit_json
from monai_unlearn.cli.experiment_options import Bundle, IndexFolder, end_with
from monai_unlearn.terminal import json_text, say

if TYPE_CHECKING:
    from collections.abc import Mapping

_HELP = (
    "Revise a bundle's weights so that they forget a cohort, and write the revised bundle with its evidence.\n\n"
    "The same as `python -m monai.bundle run unlearn`, in a process of its own. For a bundle of others, its "
    "configs/unlearn.yaml is laid over the config of the bundle that defines what it uses. Ctrl-C stops a run safely: "
    "the same command goes on from its last checkpoint.\n\n"
    "Exit codes: 0 the verdict promotes the revised bundle, 3 it does not (all is written), 2 bad input (nothing is "
    "written), 1 unexpected, 130 interrupted."
)
_EXAMPLE = (
    "Example: monai-unlearn unlearn BUNDLE --index index/ --spec retire-camera.yaml --out revision/ "
    "--reference retrain --set decision::objective=erase"
)
# Config ids that the command sets, and where their values come from.
_SET_BY = {
    "index_dir": "--index",
    "cohort_spec": "--spec",
    "output_dir": "--out",
    **{name: f"--{name}" for name in ("method", "reference", "budget", "protocol", "tracking")},
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("unlearn", cls=Command, help=_HELP, epilog=_EXAMPLE)(unlearn)


def unlearn(  # noqa: PLR0913 - Typer takes an option as a parameter
    bundle: Bundle,
    *,
    index: IndexFolder,
    spec: Annotated[Path, typer.Option("--spec", metavar="FILE", help="The cohort spec, a YAML file.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the results: new or empty.")],
    method: Annotated[
        str | None, typer.Option("--method", metavar="NAME", help="The method, or `{name: …, SETTING: …}`.")
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            "--reference",
            metavar="retrain|FILE",
            help="What to compare with: `retrain`, or weights trained without the cohort; files are repeatable.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option("--budget", metavar="SHARE", help="What the run may cost, as a share of retraining."),
    ] = None,
    protocol: Annotated[
        Path | None, typer.Option("--protocol", metavar="FILE", help="A protocol of `monai-unlearn rehearse`.")
    ] = None,
    tracking: Annotated[
        str | None,
        typer.Option("--tracking", metavar="mlflow|FILE", help="What MONAI's option of this name takes."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the config by its id; repeatable."),
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what it would cost on this machine, and revise nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Revise a bundle."""
    from monai_unlearn.experiments.settings import read_fixed
    from monai_unlearn.experiments.unlearn import unlearn as run

    given = {
        "index_dir": index,
        "cohort_spec": spec,
        "method": method,
        "reference": _listed(reference or []),
        "budget": budget,
        "protocol": protocol,
        "tracking": tracking,
        **read_fixed(settings or (), {}, set_by=_SET_BY, option="--set"),
    }
    given = {name: value for name, value in given.items() if value is not None}
    if estimate:
        _show_estimate(bundle, given, as_json=as_json)
        return
    end_with(lambda: run(bundle, out, given, quiet=as_json), as_json=as_json)


def _show_estimate(bundle: Path, given: Mapping[str, object], *, as_json: bool) -> None:
    from monai_unlearn.experiments.estimate import estimate, estimate_lines

    found = estimate(bundle, given)
    if as_json:
        emit_json(found)
    else:
        say(*estimate_lines(found))


def _listed(reference: list[str]) -> str | None:
    """Return one reference as it is, and several as a list that a config reads."""
    return json_text(reference, indent=None) if len(reference) > 1 else next(iter(reference), None)
