"""`monai-unlearn history`: what a bundle forgot, revision by revision."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.terminal import escaping_console, say

if TYPE_CHECKING:
    from collections.abc import Mapping

_HELP = (
    "Show what a bundle forgot: versions, cohorts, reasons, counts, verdicts and digests.\n\n"
    "Reads lineage.json in the bundle, to which every revision adds an entry. Its digest detects damage and edits; it "
    "does not prove who wrote the file.\n\n"
    "Exit codes: 0 the history was printed; it is empty for a bundle that was never revised. 2 the folder holds no "
    "bundle, or its lineage.json is damaged, or missing although the bundle was revised."
)
_DIGESTS = {
    "spec_digest": "spec",
    "manifest_digest": "manifest",
    "members_digest": "members",
    "base_weights_digest": "weights before",
    "weights_digest": "weights after",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = "Example: monai-unlearn history revision/revised_bundle"
    app.command("history", cls=Command, help=_HELP, epilog=epilog)(history)


def history(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of the bundle.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what a bundle forgot."""
    from monai_unlearn.cohort.lineage.history import history as read

    document = read(bundle)
    emit(document, as_json=as_json, render=lambda: _show(document))


def _show(document: Mapping[str, Any]) -> None:
    say(f"{document['name']} {document['version']}")
    if not document["revisions"]:
        say("Never revised: nothing was forgotten.")
        return
    from rich.table import Table

    table = Table("version", "date", "cohort", "reason", "scope")
    for heading in ("images", "patients", "kept out"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for entry in document["revisions"]:
        table.add_row(
            f"{entry['base_version']} → {entry['version']}",
            entry["date"],
            entry["cohort"],
            entry["reason"].replace("_", " "),
            entry["scope"],
            f"{entry['images']['forget']:,}",
            f"{entry['patients']['forget']:,}",
            f"{sum(entry['forgotten_earlier'].values()):,}",
            entry["verdict"] or "–",
        )
    escaping_console().print(table)
    say("Images and patients are those of the forget part; kept out are images that earlier revisions forgot.")
    for entry in document["revisions"]:
        say("", f"{entry['version']}:", *(f"  {name}: {entry[key]}" for key, name in _DIGESTS.items()))
    say("", f"lineage.json: {document['digest']}")
