"""`monai-unlearn card`: show the card of a bundle, and what differs between any two bundles."""

from __future__ import annotations

from enum import Enum
from pathlib import Path  # noqa: TC003 - Typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command
from monai_unlearn.errors import ConfigError, ExitCode
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(help="Show model cards, and compare any two MONAI bundles.", no_args_is_help=True)


class Format(str, Enum):
    """How a card is printed."""

    HTML = "html"
    MD = "md"
    JSON = "json"
    CHAI = "chai"


class FailOn(str, Enum):
    """What exits with 3."""

    MATERIAL = "material"


AsFormat = Annotated[
    Format, typer.Option("--format", help="html, md, json, or chai: the XML of CHAI's applied model card.")
]
_SHOW = (
    "Print the card of a MONAI bundle.\n\n"
    "A bundle that this package revised has its card in docs/model_card_diff.json: it is rendered anew. Of any other "
    "bundle, its metadata, labels, metrics, configs and digests are shown. Nothing in the bundle is run.\n\n"
    "With --format html --include-images --index DIR, the page shows some of the forgotten images. Keep it with the "
    "evidence.\n\n"
    "Exit codes: 0 the card was printed. 2 the folder holds no bundle, its card cannot be read, or images are asked "
    "for that are not there."
)
_DIFF = (
    "Print what differs between two MONAI bundles, ours or not.\n\n"
    "Identity, metadata, configs, labels, metrics, weights layer by layer, and a JSON patch (RFC 6902). Material are "
    "other weights, classes, preprocessing or verdict, and an endpoint beyond its margin. Nothing in the bundles is "
    "run; a process of its own reads weights as tensors.\n\n"
    "Exit codes: 0 the difference was printed. 2 a folder holds no bundle. 3 with --fail-on material, if a change is."
)


@app.command("show", cls=Command, help=_SHOW, epilog="Example: monai-unlearn card show revision/revised_bundle")
def show(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of the bundle.")],
    *,
    kind: AsFormat = Format.MD,
    include_images: Annotated[
        bool, typer.Option("--include-images", help="Show some of the forgotten images on the page (--format html).")
    ] = False,
    index: Annotated[
        Path | None, typer.Option("--index", metavar="DIR", help="The index of the images, for --include-images.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the card of a bundle."""
    from monai_unlearn.card.bundles.show import shown

    if include_images != (index is not None):
        raise ConfigError("--include-images and --index DIR belong together: the images are those of the index.")
    say(shown(bundle, "json" if as_json else kind.value, images_of=index).rstrip("\n"))


@app.command("diff", cls=Command, help=_DIFF, epilog="Example: monai-unlearn card diff old new --fail-on material")
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The folder of the bundle before.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The folder of the bundle after.")],
    *,
    kind: AsFormat = Format.MD,
    fail_on: Annotated[FailOn | None, typer.Option("--fail-on", help="Exit with 3 if a change is material.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print what differs between two bundles."""
    from monai_unlearn.card.bundles.compare import compare_bundles
    from monai_unlearn.card.bundles.renderers import difference_as

    found = compare_bundles(old, new)
    say(difference_as("json" if as_json else kind.value, found).rstrip("\n"))
    if fail_on is not None and found["material"]:
        _refuse(found)


def _refuse(found: Mapping[str, Any]) -> None:
    for one in found["material"]:
        say(f"Material: {one['kind']}: {one['text']}", err=True)
    raise typer.Exit(int(ExitCode.NOT_ACCEPTED))
