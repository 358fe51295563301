"""The Demo page: the story, what to do, and what was done already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from monai_unlearn.studio.demo.guide import ADDRESS, steps_of
from monai_unlearn.studio.demo.people import ADA, GRACE
from monai_unlearn.studio.demo.story import STATION
from monai_unlearn.studio.pages import render, studio_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


async def show(request: Request) -> Response:
    """Show the steps of the demo."""
    return await run_in_threadpool(_show, request)


def _show(request: Request) -> Response:
    steps = steps_of(studio_of(request))
    coming = next((step for step in steps if not step.is_done), None)
    return render(
        request,
        "demo.html.jinja",
        steps=steps,
        coming=coming,
        ada=ADA.name,
        grace=GRACE.name,
        camera=STATION,
    )


ROUTES = [Route(ADDRESS, show)]
