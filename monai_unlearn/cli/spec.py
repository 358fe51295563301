"""`monai-unlearn cohort validate` and `explain`: what a spec says, before anybody acts on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, Keyfile, emit
from monai_unlearn.cli.index_check import Trust, with_check
from monai_unlearn.terminal import escaping_console

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

_Spec = Annotated[
    Path, typer.Argument(metavar="SPEC", help="The cohort spec, a YAML file; start from one in cohort_specs/.")
]
_Index = Annotated[
    Path | None,
    typer.Option("--index", metavar="DIR", help="The image index, to show missing values and the SQL as well."),
]

_VALIDATE = (
    "Check a spec without an index: its YAML, its keys, its predicates, the types of DICOM keywords.\n\n"
    "All faults are reported at once, each with its line and a caret under the text. Fields that are not DICOM "
    "keywords are listed: the index must have columns for them.\n\n"
    "Exit codes: 0 the spec is valid, 2 it is not."
)
_EXPLAIN = (
    "Explain in plain English which images a spec forgets.\n\n"
    "With an index, also show for each field which columns it comes from and how many images lack it, and the SQL "
    "statement that DuckDB runs. Values that identify patients are not shown.\n\n"
    "Exit codes: 0 success, 2 the spec or the index cannot be used."
)


def register(app: typer.Typer) -> None:
    """Add the commands to the group of cohort commands."""
    example = "Example: monai-unlearn cohort {} cohort_specs/retire-camera.yaml"
    app.command(cls=Command, help=_VALIDATE, epilog=example.format("validate"))(validate)
    app.command(cls=Command, help=_EXPLAIN, epilog=f"{example.format('explain')} --index index/")(explain)


def validate(spec: _Spec, as_json: AsJson = False) -> None:  # noqa: FBT002 - Typer's option
    """Check a spec without an index."""
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.cohort.spec.validate import validate as validated

    found = validated(CohortSpec.read(spec))

    def show(console: Console) -> None:
        from monai_unlearn.cohort.reports.explain_report import show_validation

        show_validation(found, console)

    emit(found, as_json=as_json, render=_on_console(show))


def explain(
    spec: _Spec, index: _Index = None, *, keyfile: Keyfile = None, trust: Trust = False, as_json: AsJson = False
) -> None:
    """Explain in plain English which images a spec forgets."""
    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.cohort.reports.explain import explain as explain_spec
    from monai_unlearn.cohort.resolve.resolve import with_pseudonyms
    from monai_unlearn.errors import SpecError
    from monai_unlearn.index import Index

    parsed, opened = CohortSpec.read(spec), Index.open(index, trust=trust) if index else None
    if keyfile is not None:
        if opened is None:
            raise SpecError("--keyfile needs --index: without an index there are no pseudonyms to compare with.")
        parsed = with_pseudonyms(parsed, opened, keyfile)
    found = explain_spec(parsed, opened)

    def show(console: Console) -> None:
        from monai_unlearn.cohort.reports.explain_report import show_explanation

        show_explanation(found, console)

    document = found if opened is None else with_check(found, opened)
    emit(document, as_json=as_json, render=_on_console(show))


def _on_console(show: Callable[[Console], None]) -> Callable[[], None]:
    def render() -> None:
        show(escaping_console())

    return render
