"""The web application: which address leads to which page, and what becomes of errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from monai_unlearn.errors import UnlearnError
from monai_unlearn.release.ledger.ledger import MovedOnError
from monai_unlearn.studio import cohort_page, evidence_page, release_page, revise_page
from monai_unlearn.studio.demo import guide_page
from monai_unlearn.studio.demo.guide import ADDRESS
from monai_unlearn.studio.forms import ForgedError
from monai_unlearn.studio.guard import Guard
from monai_unlearn.studio.pages import render, studio_of, stylesheet
from monai_unlearn.studio.workspace import ChangedError
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Scope

    from monai_unlearn.studio.studio import Studio

STATIC = Path(__file__).parent / "static"
_GONE = "There is no such page here."
_UNEXPECTED = (
    "Something unexpected happened. Nothing more is shown here; the studio's terminal names the kind of fault."
)


def build_app(studio: Studio, origins: Iterable[str], *, framed_by: str = "") -> Starlette:
    """Return the application.

    Args:
        studio: The studio.
        origins: The origins by which it is known, such as `http://127.0.0.1:8477`.
        framed_by: The one site that may show its pages within its own; empty for none.
    """
    is_demo = studio.settings.demo is not None
    routes = [
        Route("/", _home),
        Route("/static/card.css", _style),
        Mount("/static", StaticFiles(directory=STATIC)),
        *cohort_page.ROUTES,
        *revise_page.ROUTES,
        *evidence_page.ROUTES,
        *release_page.ROUTES,
        *(guide_page.ROUTES if is_demo else ()),
    ]
    handlers = {UnlearnError: _refused, HTTPException: _missing}
    known = frozenset(origins)
    guard = Middleware(Guard, session=studio.session, origins=known, fault=_unexpected, framed_by=framed_by)
    app = Starlette(routes=routes, middleware=[guard], exception_handlers=handlers)  # type: ignore[arg-type]
    app.state.studio = studio
    return app


def _home(request: Request) -> Response:
    first = "/cohort" if studio_of(request).settings.demo is None else ADDRESS
    return RedirectResponse(first, status_code=303)


def _style(request: Request) -> Response:  # noqa: ARG001 - Starlette's signature
    return Response(stylesheet(), media_type="text/css")


def _refused(request: Request, error: UnlearnError) -> Response:
    """Show what a command would print on stderr."""
    status = 403 if isinstance(error, ForgedError) else 409 if isinstance(error, (MovedOnError, ChangedError)) else 422
    template = "refusal.html.jinja" if "hx-request" in request.headers else "message.html.jinja"
    return render(request, template, status=status, title="This cannot be done", message=str(error))


def _missing(request: Request, error: HTTPException) -> Response:
    words = _GONE if error.status_code == 404 else error.detail  # noqa: PLR2004 - HTTP's own
    return render(request, "message.html.jinja", status=error.status_code, title="Not here", message=words)


def _unexpected(scope: Scope, error: Exception) -> Response:
    request = Request(scope)
    say(f"Unexpected: {type(error).__name__} at {request.url.path}", err=True)
    return render(request, "message.html.jinja", status=500, title="Unexpected", message=_UNEXPECTED)
