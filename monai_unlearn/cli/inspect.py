"""`monai-unlearn inspect`: what in a bundle runs as code."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HELP = (
    "List what in a bundle runs as code, without running any of it.\n\n"
    "MONAI executes a bundle's configs when it reads them: every text that begins with $ is Python, _target_ names "
    "what is called. Listed are all expressions and imports, components outside monai, torch, ignite and this package, "
    "and the Python in the bundle by digest. A mark ! stands before what names other modules, files, processes or the "
    "network. Read it before you run a bundle that you do not trust: a signature says who made it, not what it "
    "does.\n\n"
    "Exit codes: 0 the list was printed. 2 the folder holds no bundle."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("inspect", cls=Command, help=_HELP, epilog="Example: monai-unlearn inspect downloaded_bundle")(inspect)


def inspect(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of the bundle.")],
    *,
    as_json: AsJson = False,
) -> None:
    """List what runs as code."""
    from monai_unlearn.release.inspection import inspect_bundle

    found = inspect_bundle(bundle)
    emit(found, as_json=as_json, render=lambda: say(*_lines(found)))


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['name']} {found['version']}: this runs as code when the bundle runs."
    for name, codes in found["configs"].items():
        yield f"{name}:"
        for code in codes:
            yield f"  {'!' if code['outside'] else ' '} {code['kind']} {code['where']}: {code['text']}"
    for one in found["python"]:
        yield f"! Python {one['file']}: sha256 {one['sha256']}"
    for one in found["other"]:
        yield f"! {one['file']}: {one['what']}; sha256 {one['sha256']}"
    for name in found["unreadable"]:
        yield f"! {name}: cannot be read, so what it runs is not known."
    yield ", ".join(f"{number} {kind}" for kind, number in found["counts"].items())
