"""The Revise page: start a revision, watch it, cancel it, resume it. Closing the browser stops nothing."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from monai_unlearn.errors import ConfigError, InputError
from monai_unlearn.studio.bundles import bundle_named, bundles
from monai_unlearn.studio.confined import inside
from monai_unlearn.studio.forms import read_form
from monai_unlearn.studio.pages import render, studio_of
from monai_unlearn.studio.revisions import ALIVE, Revisions, State
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from monai_unlearn.studio.forms import Form
    from monai_unlearn.studio.studio import Studio

_SECONDS_BETWEEN = 1.0
_RETRAIN = "retrain"
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
        "can_resume": state in {State.STOPPED, State.FAILED, State.REFUSED},
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
    if studio.settings.index is None:
        raise ConfigError("the studio was started without an index: start it with --index DIR.")
    # The choice says which text was meant: the file may be saved again by now, or before a resume.
    spec, _, digest = form.required("spec", what="The spec").partition(" ")
    if spec not in studio.workspace.names():
        raise InputError("there is no such spec: save it on the page Cohort first. Nothing was started.")
    studio.workspace.seen(spec, digest)
    name = form["name"].strip() or spec
    job = {
        "bundle": str(bundle_named(studio, form["bundle"]).resolve()),
        "index": str(studio.settings.index.resolve()),
        "spec": str(inside(studio.workspace.specs, f"{spec}.yaml").resolve()),
        "spec_digest": digest,
        **_options(form),
    }
    Revisions(studio.workspace.runs).start(name, job)
    return name


def _options(form: Form) -> dict[str, str]:
    """Return the options that a form names, of those that it may name.

    Raises:
        InputError: The budget is no share, or the method no name.
    """
    found: dict[str, str] = {}
    if method := form["method"].strip():
        if not method.replace("_", "").isalnum():
            raise InputError("expected the name of a method, such as psg, got something else. Nothing was started.")
        found["method"] = method
    if budget := form["budget"].strip():
        try:
            share = float(budget) / 100
        except ValueError:
            share = -1.0
        if not 0 < share <= 1:
            raise InputError("expected a budget from 1 to 100 percent of retraining. Nothing was started.")
        found["budget"] = f"{share:g}"
    if form["reference"] == _RETRAIN:
        found["reference"] = _RETRAIN
    return found


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
        told = json.dumps({"state": about["state"], "log": escaped(about["log"]), "ended": not about["is_running"]})
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
    Route("/revise/start", start, methods=["POST"]),
    Route("/revise/{act}", act, methods=["POST"]),
]
