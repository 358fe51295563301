"""`monai-unlearn index verify`: whether the files of an index are those that it was written with."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.errors import ExitCode

if TYPE_CHECKING:
    from monai_unlearn.index.verify import Verification

_HELP = (
    "Hash all files of an index again, and name each that was changed, damaged or lost since it was written.\n\n"
    "Every command compares the files that it reads, once until they change; this one compares all, each time.\n\n"
    "Exit codes: 0 every file is as it was written, 2 one is not, or there is no index."
)


def register(app: typer.Typer) -> None:
    """Add the command to the group of index commands."""
    app.command("verify", cls=Command, help=_HELP, epilog="Example: monai-unlearn index verify index/")(verify)


def verify(
    index: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the index.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Hash all files of an index again, and name each that is not as it was written."""
    from monai_unlearn.index.verify import verify_index

    found = verify_index(index)
    emit(found.document(), as_json=as_json, render=lambda: _show(found))
    if found.bad:
        typer.echo(
            f"Error: {index}: {len(found.bad)} of {found.files} files are not as they were written. Build the index "
            f"again with: monai-unlearn index build SOURCE --out {index}",
            err=True,
        )
        raise typer.Exit(int(ExitCode.BAD_INPUT))


def _show(found: Verification) -> None:
    for file in found.bad:
        digests = "" if file.got is None else f": expected {_short(file.expected)}, got {_short(file.got)}"
        typer.echo(f"{file.file}: {file.problem}{digests}")
    if not found.bad:
        typer.echo(f"{found.index}: all {found.files} files are as they were written.")
    typer.echo(f"{found.hashed / 1e6:,.1f} MB hashed in {found.seconds:.2f} s")


def _short(digest: str | None) -> str:
    return "no digest" if digest is None else f"{digest[:19]}…"
