"""The Cohort page: write a spec and see, as you type, whom it catches; save it, and freeze its cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from monai_unlearn.cohort.reports.compare import compare
from monai_unlearn.cohort.reports.complete import complete
from monai_unlearn.cohort.resolve.frozen import Frozen, freeze
from monai_unlearn.errors import InputError, SpecError, UnlearnError
from monai_unlearn.studio.cohort_view import difference, view
from monai_unlearn.studio.confined import inside
from monai_unlearn.studio.faults import ShownFault, faults_of
from monai_unlearn.studio.forms import read_form
from monai_unlearn.studio.images import picture, some_images
from monai_unlearn.studio.pages import render, studio_of
from monai_unlearn.studio.starter import DEVICE, EMPTY, retire_device
from monai_unlearn.studio.turns import OutdatedError
from monai_unlearn.studio.workspace import NEW, ChangedError, new_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from monai_unlearn.cohort import CohortSpec
    from monai_unlearn.studio.forms import Form
    from monai_unlearn.studio.studio import Studio

SAVED = "saved"
"""In the list of what a spec is compared with: the same spec, as it was saved last."""
_NO_KEY, _NONE = "page", "none"
"""The draft of a page that names none, and what asks for the text as it was saved; keys are hexadecimal."""
_DONE = {"saved": "Saved.", "frozen": "Frozen: the cohort will not change any more, whatever the index becomes."}


async def show(request: Request) -> Response:
    """Show the editor with a saved spec, its draft, a spec to start from, or an empty one."""
    asked = request.query_params
    name = asked.get("spec") or NEW
    return await run_in_threadpool(_editor, request, name, device=asked.get("device"), done=asked.get("done"))


def _editor(request: Request, name: str, *, device: str | None = None, done: str | None = None) -> Response:
    workspace = studio_of(request).workspace
    saved = workspace.saved(name)
    drafts = [] if device else [one for one in workspace.drafts(name) if one.text != saved.text]
    asked = _NONE if done else request.query_params.get("draft")
    draft = next((one for one in drafts if asked in {None, one.key}), None)
    try:
        started = retire_device(device) if device else EMPTY
    except ValueError:
        raise InputError("expected a plain name of a device, got control characters.") from None
    given: dict[str, Any] = {
        "name": name,
        "text": started if device else (saved.text or started) if draft is None else draft.text,
        "over": saved.digest,
        "draft": new_key(),
        "origin": "" if draft is None else f"{draft.key}.{draft.digest} {draft.origin}",
        "others_typed": [one.key for one in drafts if one is not draft],
        "is_draft": draft is not None,
        "done": _DONE.get(done or ""),
        "conflict": None,
    }
    return _page(request, given)


def _page(request: Request, given: dict[str, Any], *, status: int = 200) -> Response:
    studio = studio_of(request)
    workspace = studio.workspace
    devices = {} if studio.index is None else studio.values(studio.index, DEVICE)
    others = [*workspace.names(), *(f"{path.name}/" for path in sorted(workspace.cohorts.iterdir()) if path.is_dir())]
    return render(
        request,
        "cohort.html.jinja",
        status=status,
        devices=devices,
        names=workspace.names(),
        others=others,
        ticket=studio.session.ticket("/cohort/freeze"),
        **{"typed": "", **given},
    )


async def preview(request: Request) -> Response:
    """Show whom the text catches as it is typed, or its faults; keep it as a draft."""
    studio = studio_of(request)
    form = await read_form(request, studio.session)
    return await run_in_threadpool(_preview, request, studio, form, _turn(studio, form, "preview"))


def _turn(studio: Studio, form: Form, what: str) -> Callable[[], bool]:
    """Note a request of a page. A browser that typed on hears of the last one alone."""
    return studio.turns.take(f"{form['draft']} {what}" if form["draft"] else "")


def _preview(request: Request, studio: Studio, form: Form, is_wanted: Callable[[], bool]) -> Response:
    text, name = form["text"], form["name"] or NEW
    if form["typed"]:
        _keep(studio, name, form)
    try:
        cohort = studio.cohort(studio.workspace.parse(text), is_wanted=is_wanted)
        shown = view(cohort)
        images = some_images(cohort) if studio.settings.show_images else {}
    except OutdatedError:
        return Response(status_code=204)
    except UnlearnError as error:
        faults = faults_of(error) if isinstance(error, SpecError) else [_whole(str(error))]
        response = render(request, "faults.html.jinja", faults=faults, swap=False)
        # The last valid preview stays where it is.
        response.headers["hx-reswap"] = "none"
        return response
    response = render(request, "preview.html.jinja", view=shown, pictured=images, faults=[], swap=True)
    response.headers["hx-trigger"] = "previewed"
    return response


def _keep(studio: Studio, name: str, form: Form) -> None:
    """Keep what was typed; what is the saved text again needs no draft."""
    if form["text"] == (studio.workspace.saved(name).text or EMPTY):
        _forget(studio, name, form)
    else:
        studio.workspace.keep_draft(name, form["draft"] or _NO_KEY, form["text"], origin=form["origin"])


def _forget(studio: Studio, name: str, form: Form) -> None:
    """Forget the draft of a page, and those that it began as, unless they were typed on elsewhere."""
    studio.workspace.drop_draft(name, form["draft"] or _NO_KEY)
    for one in form["origin"].split():
        key, _, digest = one.partition(".")
        studio.workspace.drop_draft(name, key, only=digest)


def _whole(message: str) -> ShownFault:
    return ShownFault(line=0, column=0, width=0, message=message)


async def suggest(request: Request) -> Response:
    """Suggest what may stand at the cursor."""
    studio = studio_of(request)
    form = await read_form(request, studio.session)
    cursor = int(form["cursor"]) if form["cursor"].isdecimal() else len(form["text"])
    found = await run_in_threadpool(complete, form["text"], cursor, studio.index, studio.values)
    return render(request, "suggestions.html.jinja", suggestions=found)


async def save(request: Request) -> Response:
    """Save the spec under its own name; refuse to overwrite what another tab saved."""
    studio = studio_of(request)
    form = await read_form(request, studio.session)
    return await run_in_threadpool(_save, request, studio, form)


def _save(request: Request, studio: Studio, form: Form) -> Response:
    text, name = form["text"], form["name"] or NEW
    given = {**_as_typed(name, text), "over": form["over"], "draft": form["draft"] or _NO_KEY, "origin": form["origin"]}
    try:
        saved = studio.workspace.save(text, over=form["over"])
    except ChangedError as error:
        now = studio.workspace.saved(studio.workspace.parse(text).name)
        return _page(request, {**given, "over": now.digest, "conflict": str(error)}, status=409)
    except SpecError as error:
        return _page(request, {**given, "conflict": f"Not saved: {error}"}, status=422)
    _forget(studio, name, form)
    return RedirectResponse(f"/cohort?spec={saved}&done=saved", status_code=303)


async def discard(request: Request) -> Response:
    """Forget what was typed since the spec was saved."""
    studio = studio_of(request)
    form = await read_form(request, studio.session)
    name = form["name"] or NEW
    await run_in_threadpool(_forget, studio, name, form)
    return RedirectResponse(f"/cohort?spec={quote(name, safe='')}&draft={_NONE}", status_code=303)


async def upload(request: Request) -> Response:
    """Open a spec from a file, as text in the editor."""
    studio = studio_of(request)
    form = await read_form(request, studio.session)
    given = form.files.get("file")
    if given is None:
        raise InputError("no file was chosen. Choose a spec, in YAML.")
    return await run_in_threadpool(_page, request, _as_typed(NEW, given.text()))


def _as_typed(name: str, text: str) -> dict[str, Any]:
    """Return what an editor shows whose text is nowhere else: it is kept as if it had just been typed."""
    page = {"name": name, "text": text, "over": "", "draft": new_key(), "origin": "", "others_typed": []}
    return {**page, "is_draft": True, "typed": "yes", "done": None, "conflict": None}


async def freeze_cohort(request: Request) -> Response:
    """Freeze the cohort of a saved spec."""
    studio = studio_of(request)
    form = await read_form(request, studio.session, act=True)
    name = form.required("name", what="The spec")
    await run_in_threadpool(_freeze, studio, name, form["over"])
    return RedirectResponse(f"/cohort?spec={name}&done=frozen", status_code=303)


def _freeze(studio: Studio, name: str, seen: str) -> None:
    from monai_unlearn.cohort.resolve.guards import check

    text = studio.workspace.saved(name).text
    if not text:
        raise InputError(f"'{name}' is not saved: save the spec first. Nothing was frozen.")
    text = studio.workspace.seen(name, seen).text
    cohort = studio.cohort(studio.workspace.parse(text))
    check(cohort)
    digest = cohort.spec.digest.removeprefix("sha256:")[:12]
    freeze(cohort, inside(studio.workspace.cohorts, f"{name}-{digest}"))


async def image(request: Request) -> Response:
    """Send a small picture of an image; no answer of the studio is kept by a browser."""
    number = request.query_params.get("number", "")
    return Response(await run_in_threadpool(picture, studio_of(request), number), media_type="image/png")


async def diff(request: Request) -> Response:
    """Show which images change their part against another spec, or the same as it was saved."""
    studio = studio_of(request)
    form = await read_form(request, studio.session)
    return await run_in_threadpool(_diff, request, studio, form, _turn(studio, form, "diff"))


def _diff(request: Request, studio: Studio, form: Form, is_wanted: Callable[[], bool]) -> Response:
    try:
        other = _other(studio, form["other"], form["name"])
        cohort = studio.cohort(studio.workspace.parse(form["text"]), is_wanted=is_wanted)
    except OutdatedError:
        return Response(status_code=204)
    except SpecError:  # it stands under its line already
        return render(request, "difference.html.jinja", view=None, why="Correct the spec first.")
    if other is None:
        return render(request, "difference.html.jinja", view=None, why="It is not saved yet.")
    before = other if isinstance(other, Frozen) else studio.cohort(other)
    return render(request, "difference.html.jinja", view=difference(compare(before, cohort, studio.index)), why=None)


def _other(studio: Studio, other: str, name: str) -> CohortSpec | Frozen | None:
    """Return what a spec is compared with: a frozen cohort ends with a slash."""
    workspace = studio.workspace
    if other.endswith("/"):
        return Frozen.read(inside(workspace.cohorts, other.rstrip("/")))
    text = workspace.saved(name if other in {"", SAVED} else other).text
    return workspace.parse(text) if text else None


ROUTES = [
    Route("/cohort", show),
    Route("/cohort/image", image),
    *(
        Route(f"/cohort/{name}", endpoint, methods=["POST"])
        for name, endpoint in (
            ("preview", preview),
            ("suggest", suggest),
            ("save", save),
            ("discard", discard),
            ("upload", upload),
            ("freeze", freeze_cohort),
            ("diff", diff),
        )
    ),
]
