"""`monai-unlearn ledger`: what happened to the bundles of a site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.cli.sign import Key, PasswordFile  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.cli.store_options import StoreFolder, Who, Why  # noqa: TC001 - as above
from monai_unlearn.terminal import escaping_console, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.release.ledger import Line

app = typer.Typer(help="Show, check and extend the ledger of a store of deployed versions.", no_args_is_help=True)

_VERIFY = (
    "Check the ledger of a store: every line's content, order and signature, and that no tail is missing.\n\n"
    "How long the ledger must be is in the store and in every release that was signed with --store; --head FILE adds a "
    "head that was kept elsewhere. It is also checked that `current` leads where the ledger says.\n\n"
    "Exit codes: 0 sound. 2 no ledger, no key or no head. 3 tampered with. 4 a line was signed with another key. Of "
    "both, the lower."
)
_RECORD = (
    "Note in the ledger that a bundle was trained or unlearned, with the digests in its records.\n\n"
    "Runs do it themselves where MONAI_UNLEARN_STORE and MONAI_UNLEARN_KEY name a store and a key.\n\n"
    "Exit codes: 0 noted. 2 no bundle, or no key."
)
_Store = Annotated[Path, typer.Argument(metavar="STORE", help="The folder of deployed versions.")]


@app.command("show", cls=Command, epilog="Example: monai-unlearn ledger show deployed")
def show(store: _Store, *, as_json: AsJson = False) -> None:
    """Show what happened, line by line, and where the ledger ends. Nothing is checked."""
    from monai_unlearn.release.store import Store

    found = Store(store)
    lines = found.ledger.lines()
    head = found.ledger.head()
    document = {
        "lines": [line.to_dict() for line in lines],
        "head": {"count": head.count, "hash": head.hash, "first": head.first},
        "deployed": found.deployed,
    }
    emit(document, as_json=as_json, render=lambda: _show(lines, document))


@app.command(
    "verify", cls=Command, help=_VERIFY, epilog="Example: monai-unlearn ledger verify deployed --public-key release.pub"
)
def verify(
    store: _Store,
    *,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(
            "--public-key", metavar="FILE", help="A key that lines may be signed with; repeat it for several."
        ),
    ] = None,
    head: Annotated[
        list[Path] | None,
        typer.Option("--head", metavar="FILE", help="A head that the ledger must still hold; repeat it for several."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the ledger."""
    from monai_unlearn.release.check_store import report_of

    report = report_of(store, public_keys=public_key or [], heads=head or [])
    emit(report, as_json=as_json, render=lambda: _found(report))
    raise typer.Exit(report["exit_code"])


@app.command(
    "record",
    cls=Command,
    help=_RECORD,
    epilog="Example: monai-unlearn ledger record unlearn revision/revised_bundle --store deployed --key release.pem",
)
def record(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="train or unlearn.")],
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of the bundle.")],
    *,
    store: StoreFolder,
    key: Key,
    who: Who = None,
    why: Why = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Note a run."""
    from monai_unlearn.release.ledger import LedgerKey
    from monai_unlearn.release.record_run import record_run
    from monai_unlearn.release.signature import read_password

    read = LedgerKey.read(key, password=read_password(password_file))
    line = record_run(event, bundle, store=store, key=read, who=who, why=why)
    emit(line.to_dict(), as_json=as_json, render=lambda: say(f"Line {line.number} of the ledger, {line.hash}"))


def _show(lines: Sequence[Line], document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("line", "when", "event", "bundle", "who", "verdict", "why")
    for line in lines:
        event = line.event
        bundle = f"{event.name} {event.version}"
        why = event.why or ""
        if event.overridden and event.event == "promote":
            why = f"OVERRIDDEN: {why}"
        table.add_row(str(line.number), line.when[:19], event.event, bundle, event.who, event.verdict or "–", why)
    escaping_console().print(table)
    say(f"Head: {document['head']['count']} lines, {document['head']['hash']}")
    say(f"Deployed: {document['deployed'] or 'nothing'}")


def _found(report: dict[str, Any]) -> None:
    sound = f"{report['lines']} lines: sound."
    say(
        *(fault["message"] for fault in report["faults"]),
        *(f"Note: {note}" for note in report["warnings"]),
        sound if report["sound"] else f"{report['lines']} lines, {len(report['faults'])} faults.",
    )
