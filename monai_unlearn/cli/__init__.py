"""The command `monai-unlearn`: one file per command group, registered here."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from contextlib import suppress
from typing import Annotated

import typer

from monai_unlearn.cli import (
    card,
    cohort,
    compare,
    compose,
    history,
    index,
    index_fetch,
    index_pull,
    index_report,
    index_table,
    index_verify,
    init_overlay,
    inspect,
    ledger,
    phantom,
    promote,
    rehearse,
    results,
    send,
    sign,
    spec,
    studio,
    sweep,
    unlearn,
    verify,
    watch,
)
from monai_unlearn.terminal import say
from monai_unlearn.version import __version__

_OBJECTS_A_COLLECTION = 50_000

app = typer.Typer(
    name="monai-unlearn",
    help="Choose what a deployed MONAI classifier must forget, and see which images that choice selects.",
    epilog="Unlearning is a MONAI bundle run as well: "
    "python -m monai.bundle run unlearn --config_file BUNDLE/configs/unlearn.yaml "
    "--index_dir DIR --cohort_spec SPEC --output_dir OUT",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(phantom.app, name="phantom")
index_table.register(index.app)
index_pull.register(index.app)
index_fetch.register(index.app)
index_report.register(index.app)
index_verify.register(index.app)
app.add_typer(index.app, name="index")
spec.register(cohort.app)
app.add_typer(cohort.app, name="cohort")
app.add_typer(card.app, name="card")
unlearn.register(app)
init_overlay.register(app)
sweep.register(app)
rehearse.register(app)
compare.register(app)
compose.register(app)
history.register(app)
inspect.register(app)
sign.register(app)
verify.register(app)
promote.register(app)
studio.register(app)
results.register(app)
send.register(app)
watch.register(app)
app.add_typer(ledger.app, name="ledger")


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - Typer's callback signature
    if wanted:
        say(__version__)
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line, and end the process."""
    # Nearly all objects of a command are those of the modules that it loads: looking through them for garbage, again
    # and again and at its end, would take a fifth of a small command.
    gc.set_threshold(_OBJECTS_A_COLLECTION)
    try:
        app()
    except SystemExit as end:
        if isinstance(end.code, int):
            _end(end.code)
        raise


def _end(code: int) -> None:
    """End the process at once, after all that is to be done at its end; return if other threads still run."""
    if threading.active_count() > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - what Python itself calls
    with suppress(OSError):  # nobody reads what is printed: Python ends as it does then
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


__all__ = ["app", "main"]
