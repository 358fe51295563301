"""The card of one bundle: that of its last revision, or what the bundle says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.card.bundles.read import CARD, read_bundle, read_card
from monai_unlearn.card.bundles.renderers import bundle_as
from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = {"md": ".md", "html": ".html", "json": ".json", "chai": ".xml"}


def shown(bundle: Path, kind: str) -> str:
    """Return the card of a bundle.

    Args:
        bundle: Its folder.
        kind: `html`, `md`, `json` or `chai`.

    Raises:
        ConfigError: The folder holds no bundle, or its card is not one of this version of the package.
    """
    from monai_unlearn.card.renderers import RENDERERS

    document, card = read_bundle(bundle), read_card(bundle)
    if card is None:
        return bundle_as(kind, document)
    render = next(render for name, render in RENDERERS.items() if name.endswith(SUFFIXES[kind]))
    try:
        return render(card)
    # A renderer may fail in any way on JSON that is no card.
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        raise ConfigError(
            f"{bundle / CARD}: is not a card that this version renders ({type(error).__name__}). Use the version of "
            "monai-unlearn that it names, or read the rendering beside it."
        ) from None
