"""Renders a page: the card's templates and colours within the studio's frame."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from monai_unlearn.studio.bundles import words_of
from monai_unlearn.studio.demo.guide import ADDRESS, guide
from monai_unlearn.studio.demo.people import ADA
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from starlette.requests import Request

    from monai_unlearn.studio.studio import Studio

PAGES = (
    ("/cohort", "Cohort", "Whom a model must forget"),
    ("/revise", "Revise", "Make it forget them"),
    ("/evidence", "Evidence", "See whether it did"),
    ("/release", "Release", "Decide and sign"),
)
"""The address, the name and the purpose of each page, in the order in which people need them."""
DEMO_PAGES = ((ADDRESS, "Demo", "What to do here"), *PAGES)


@cache
def environment() -> Environment:
    """Return the templates: the studio's own, then the card's."""
    loaders = [
        PackageLoader("monai_unlearn.studio", "templates"),
        PackageLoader("monai_unlearn.card.html", "templates"),
    ]
    found = Environment(
        loader=ChoiceLoader(loaders), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    found.filters["bundle"] = words_of
    found.filters["count"] = lambda number: f"{number:,}"
    return found


def studio_of(request: Request) -> Studio:
    """Return the studio that a request came to."""
    found: Studio = request.app.state.studio
    return found


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:  # noqa: ANN401 - what templates show
    """Return a page, or a part of one.

    Args:
        request: The request.
        template: The name of the template.
        status: The HTTP status.
        context: What it shows.
    """
    studio = studio_of(request)
    shared = {
        "pages": PAGES if studio.settings.demo is None else DEMO_PAGES,
        "here": request.url.path,
        # In a demo, names are filled in.
        "reviser": "" if studio.settings.demo is None else ADA.name,
        "guide": guide(studio, request.url.path),
        "form_token": studio.session.form,
        "settings": studio.settings,
    }
    text = environment().get_template(template).render(**shared, **context)
    return HTMLResponse(escaped(text), status_code=status)


def stylesheet() -> str:
    """Return the style of the card, which every page has."""
    return environment().get_template("style.css.jinja").render()
