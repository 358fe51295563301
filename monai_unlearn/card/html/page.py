"""The page: its sections in order, below one verdict, in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from monai_unlearn.card.html.sections import SECTIONS
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monai_unlearn.card.thumbnails import Thumbnail


def to_html(diff: Mapping[str, Any], *, images: Sequence[Thumbnail] = ()) -> str:
    """Render a difference that `build_diff` made: one page, which loads and runs nothing.

    Whatever comes from the difference is escaped. A policy in the page forbids everything but its own styles, and the
    pictures within it where it has some.

    Args:
        diff: The difference.
        images: Pictures of forgotten images. A page with them stays with the evidence, and says so.
    """
    environment = Environment(
        loader=PackageLoader("monai_unlearn.card.html", "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page = environment.get_template("page.html.jinja")
    sections = [(section, section.view(diff)) for section in SECTIONS]
    return escaped(page.render(diff=diff, sections=sections, images=images))
