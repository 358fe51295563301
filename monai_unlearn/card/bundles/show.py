"""The card of one bundle: that of its last revision, or what the bundle says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.bundles.read import CARD, read_bundle, read_card
from monai_unlearn.card.bundles.renderers import bundle_as
from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HTML = "html"
SUFFIXES = {"md": ".md", HTML: ".html", "json": ".json", "chai": ".xml"}


def shown(bundle: Path, kind: str, *, images_of: Path | None = None) -> str:
    """Return the card of a bundle.

    Args:
        bundle: Its folder.
        kind: `html`, `md`, `json` or `chai`.
        images_of: The index of the run, whose forgotten images the page shows; by default it shows none.

    Raises:
        ConfigError: The folder holds no bundle, its card is not one of this version of the package, or pictures are
            asked for where there can be none.
        InputError: As `thumbnails`.
    """
    from monai_unlearn.card.renderers import RENDERERS

    document, card = read_bundle(bundle), read_card(bundle)
    if images_of is not None and (card is None or kind != HTML):
        raise ConfigError(
            f"{bundle}: pictures are shown on the page of a revision. Give --format html and a bundle that a run wrote."
        )
    if card is None:
        return bundle_as(kind, document)
    render = next(render for name, render in RENDERERS.items() if name.endswith(SUFFIXES[kind]))
    try:
        return render(card) if images_of is None else _with_images(card, bundle, images_of)
    # A renderer may fail in any way on JSON that is no card.
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        raise ConfigError(
            f"{bundle / CARD}: is not a card that this version renders ({type(error).__name__}). Use the version of "
            "monai-unlearn that it names, or read the rendering beside it."
        ) from None


def _with_images(card: Mapping[str, Any], bundle: Path, images_of: Path) -> str:
    from monai_unlearn.card.html import to_html
    from monai_unlearn.card.thumbnails import thumbnails

    digest = card["modification"]["cohort"]["index_digest"]
    return to_html(card, images=thumbnails(bundle, images_of, index_digest=digest))
