"""The Revise page: start a revision, watch it, cancel it, resume it. Closing the browser stops nothing."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from monai_unlearn.errors import InputError
from monai_unlearn.experiments.estimate import estimate_lines
from monai_unlearn.studio.asked_revision import asked_revision, estimate_of
from monai_unlearn.studio.bundles import bundles
from monai_unlearn.studio.forms import read_form
from monai_unlearn.studio.pages import render, studio_of
from monai_unlearn.studio.progress import progress_of
from monai_unlearn.studio.revisions import ALIVE, Revisions, State
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from monai_unlearn.studio.forms import Form
    from monai_unlearn.studio.studio import Studio

_SECONDS_BETWEEN = 1.0
_MOST_LINES = 200


async def show(request: Request) -> Response:
    """Show the form of a new revision, and those that there are."""
    return await run_in_threadpool(_show, request)


def _show(request: Request) -> Response:
    studio = studio_of(request)
    revisions = Revisions(studio.workspace.runs)
    known = [(name, revisions.state(name)) for name in revisions.names()]
    shown = request.query_params.get("run") or next((name for name, _ in known), None)
    return render(
        request,
        "revise.html.jinja",
        bundles=list(bundles(studio)),
        specs=[(name, studio.workspace.saved(name).digest) for name in studio.workspace.names()],
        known=[(name, state.value) for name, state in known],
        busy=revisions.is_busy(),
        shown=None if shown is None else _about(studio, shown),
        tickets={act: studio.session.ticket(f"/revise/{act}") for act in ("start", "cancel", "resume")},
    )


def _about(studio: Studio, name: str) -> dict[str, Any]:
    revisions = Revisions(studio.workspace.runs)
    state = revisions.state(name)
    # What a run prints may name images and files, and the screen may be shared.
    lines = studio.masking.masked("\n".join(revisions.log(name).splitlines()[-_MOST_LINES:])).splitlines()
    said = [line for line in lines if line.strip()]
    return {
        "name": name,
        "state": state.value,
        "is_running": state in ALIVE,
        "can_cancel": state is State.RUNNING,
        "can_resume": state in {State.STOPPED, State.KILLED, State.FAILED, State.REFUSED},
        "is_killed": state is State.KILLED,
        "who": revisions.who(name),
        "progress": progress_of("\n".join(lines)) if state in ALIVE else None,
        "has_evidence": state in {State.ACCEPTED, State.NOT_ACCEPTED},
        "log": "\n".join(lines),
        # A run that ends without evidence says last why.
        "why": said[-1] if said and state in {State.REFUSED, State.FAILED} else None,
    }


async def start(request: Request) -> Response:
    """Start a revision."""
    studio = studio_of(request)
    form = await read_form(request, studio.session, act=True)
    name = await run_in_threadpool(_start, studio, form)
    return RedirectResponse(f"/revise?run={name}", status_code=303)


def _start(studio: Studio, form: Form) -> str:
    asked = asked_revision(studio, form)
    name = form["name"].strip() or asked.spec
    who = form.required("who", what="Your name")
    Revisions(studio.workspace.runs).start(name, {**asked.job, "who": who}, files=asked.files)
    return name


async def estimate(request: Request) -> Response:
    """Show what a revision would cost, before it starts."""
    studio = studio_of(request)
    form = await read_form(request, studio.session)
    found = await run_in_threadpool(_estimate, studio, form)
    return render(request, "estimate.html.jinja", lines=estimate_lines(found))


def _estimate(studio: Studio, form: Form) -> dict[str, Any]:
    return estimate_of(studio, asked_revision(studio, form))


async def act(request: Request) -> Response:
    """Cancel or resume a revision."""
    studio = studio_of(request)
    form = await read_form(request, studio.session, act=True)
    revisions, name = Revisions(studio.workspace.runs), form.required("name", what="The revision")
    acts = {"cancel": revisions.cancel, "resume": revisions.resume}
    if request.path_params["act"] not in acts:
        raise InputError("there is no such act. Nothing was changed.")
    await run_in_threadpool(acts[request.path_params["act"]], name)
    return RedirectResponse(f"/revise?run={name}", status_code=303)


async def events(request: Request) -> Response:
    """Send how far a revision is, as server-sent events, until it ends or nobody looks."""
    studio, name = studio_of(request), request.query_params.get("run", "")
    await run_in_threadpool(_about, studio, name)  # refuses a name that leads elsewhere
    return StreamingResponse(_events(request, studio, name), media_type="text/event-stream")


async def _events(request: Request, studio: Studio, name: str) -> AsyncIterator[str]:
    sent = ""
    while not await request.is_disconnected():
        about = await run_in_threadpool(_about, studio, name)
        said = {"log": escaped(about["log"]), "progress": about["progress"]}
        told = json.dumps({"state": about["state"], **said, "ended": not about["is_running"]})
        if told != sent:
            sent = told
            yield f"data: {told}\n\n"
        if not about["is_running"]:
            return
        await asyncio.sleep(_SECONDS_BETWEEN)
        yield ": still here\n\n"


ROUTES = [
    Route("/revise", show),
    Route("/revise/events", events),
    Route("/revise/estimate", estimate, methods=["POST"]),
    Route("/revise/start", start, methods=["POST"]),
    Route("/revise/{act}", act, methods=["POST"]),
]
