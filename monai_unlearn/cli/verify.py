"""`monai-unlearn verify`: whether a bundle is the release that was signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.cli.sign import Signature  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.errors import ConfigError
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HELP = (
    "Check a bundle against its signature and everything that it says of itself. Nothing of it is executed.\n\n"
    "Checked: the signature; the digest of every file, extra and missing ones included, hidden folders such as .git "
    "too; the weights against card, lineage and spec; cards in Markdown and HTML against their JSON; the chain of "
    "revisions; the evidence beside the bundle, where it is still there. One line a fault. With --replay --index DIR, "
    "a sound bundle is evaluated again on the images of the evidence; its predictions, accuracies and verdict are "
    "compared. This runs the bundle.\n\n"
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
    replay: Annotated[
        bool, typer.Option("--replay", help="Evaluate a sound bundle again, from weights and images. This runs it.")
    ] = False,
    index: Annotated[
        Path | None, typer.Option("--index", metavar="DIR", help="The index of the images, for --replay.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a bundle."""
    from monai_unlearn.release.verify import verify as verify_bundle

    if replay != (index is not None):
        raise ConfigError("--replay and --index DIR belong together: the images are those of the index.")
    report, figures = verify_bundle(bundle, public_key=public_key, signature=signature), None
    if index is not None:
        from monai_unlearn.experiments.replay import with_replay

        report, figures = with_replay(report, bundle, index)
    document = {**report.to_dict(), "replay": figures}
    emit(document, as_json=as_json, render=lambda: _show(document))
    raise typer.Exit(report.exit_code)


def _show(report: Mapping[str, Any]) -> None:
    name = f"{report['name']} {report['version']}".strip() or report["bundle"]
    say(
        *(fault["message"] for fault in report["faults"]),
        *(f"Note: {warning}" for warning in report["warnings"]),
        *_replayed(report["replay"]),
        f"{name}: sound." if report["sound"] else f"{name}: {_faults(len(report['faults']))}. Do not deploy it.",
    )


def _replayed(figures: Mapping[str, Any] | None) -> Iterator[str]:
    if figures:
        yield (
            f"Evaluated again: {figures['images']:,} images; probabilities differ by at most "
            f"{figures['largest_difference']:.2g} ({figures['probability_tolerance']:g} is tolerated)."
        )


def _faults(number: int) -> str:
    return "1 fault" if number == 1 else f"{number} faults"
