"""`monai-unlearn verify`: whether a bundle is the release that was signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.cli.sign import Signature  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

_HELP = (
    "Check a bundle against its signature and everything that it says of itself. Nothing of it is executed.\n\n"
    "Checked: the signature; the digest of every file, extra and missing ones included, hidden folders such as .git "
    "too; the weights against card, lineage and spec; cards in Markdown and HTML against their JSON; the chain of "
    "revisions; the evidence beside the bundle, where it is still there. One line a fault.\n\n"
    "Exit codes: 0 sound. 2 no bundle, or no key. 3 tampered with. 4 signed with another key. 5 unsigned. Of several, "
    "the lowest of 3 to 5."
)

PublicKey = Annotated[
    Path | None,
    typer.Option("--public-key", metavar="FILE", help="The public key, in PEM, of whom the release must come from."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = "Example: monai-unlearn verify revision/revised_bundle --public-key signing.pub"
    app.command("verify", cls=Command, help=_HELP, epilog=epilog)(verify)


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of the bundle.")],
    *,
    public_key: PublicKey = None,
    signature: Signature = None,
    as_json: AsJson = False,
) -> None:
    """Check a bundle."""
    from monai_unlearn.release.verify import verify as verify_bundle

    report = verify_bundle(bundle, public_key=public_key, signature=signature).to_dict()
    emit(report, as_json=as_json, render=lambda: _show(report))
    raise typer.Exit(report["exit_code"])


def _show(report: Mapping[str, Any]) -> None:
    name = f"{report['name']} {report['version']}".strip() or report["bundle"]
    say(
        *(fault["message"] for fault in report["faults"]),
        *(f"Note: {warning}" for warning in report["warnings"]),
        f"{name}: sound." if report["sound"] else f"{name}: {_faults(len(report['faults']))}. Do not deploy it.",
    )


def _faults(number: int) -> str:
    return "1 fault" if number == 1 else f"{number} faults"
