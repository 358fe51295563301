"""The Release page: what was done, what may be done, and each act with a name, a reason and a line in the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from monai_unlearn.card.html.table import Table, cells
from monai_unlearn.errors import ConfigError, InputError
from monai_unlearn.release.check_store import report_of
from monai_unlearn.release.ledger.ledger import MovedOnError
from monai_unlearn.release.ledger.line import FIRST
from monai_unlearn.release.promote import act_of, objections, promote, reject, rollback, rollback_target
from monai_unlearn.release.record_run import record_run
from monai_unlearn.release.sign import sign
from monai_unlearn.release.store import Store
from monai_unlearn.release.two_people import is_recorded, prepared_by
from monai_unlearn.release.verify import Kind, verify
from monai_unlearn.studio.bundles import bundle_named, bundles
from monai_unlearn.studio.demo.people import keys_of, person_of, public_keys
from monai_unlearn.studio.forms import read_form
from monai_unlearn.studio.keys import PUBLIC_KEY, key_files, password_of, required_key
from monai_unlearn.studio.pages import render, studio_of
from monai_unlearn.studio.revisions import who_revised
from monai_unlearn.vocabulary.run_folder import LINEAGE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.requests import Request

    from monai_unlearn.release.ledger import Line
    from monai_unlearn.release.promote import Act
    from monai_unlearn.release.verify import Report
    from monai_unlearn.studio.forms import Form
    from monai_unlearn.studio.studio import Studio

_SEEN = " "
_DONE = {
    "unlearn": "Recorded. The ledger has a line for it.",
    "sign": "Signed. The ledger has a line for it.",
    "promote": "Deployed. The ledger has a line for it.",
    "reject": "Rejected. The ledger has a line for it; what is deployed stays.",
    "rollback": "The version before is deployed again. The ledger has a line for it.",
}


async def show(request: Request) -> Response:
    """Show the ledger, what is deployed, and the forms of the acts."""
    return await run_in_threadpool(_show, request)


def _show(request: Request, *, name: str | None = None, checked: dict[str, Any] | None = None) -> Response:
    """Return the page about a bundle: by default, about the one that the address names, or else the first one."""
    studio = studio_of(request)
    store, known = _store(studio), bundles(studio)
    name = name or request.query_params.get("bundle") or next(iter(known), "")
    lines, damage = _lines(store)
    readable = None if damage else store
    bundle = _about(studio, bundle_named(studio, name), readable) if name else None
    return render(
        request,
        "release.html.jinja",
        names=list(known),
        name=name,
        bundle=bundle,
        # What stands on the page when somebody decides.
        seen=_SEEN.join((lines[-1].hash if lines else FIRST, str(bundle["weights"]) if bundle else "")),
        before=None if readable is None else _before(readable),
        ledger=_ledger(lines),
        damage=damage,
        deployed=None if store is None else store.deployed,
        has_store=store is not None,
        checked=checked,
        done=_DONE.get(request.query_params.get("done", "")),
        tickets={act: studio.session.ticket(f"/release/{act}") for act in _DONE},
        # In a demo, keys are there, and somebody is named for each act.
        plays={} if studio.settings.demo is None else {act: person_of(act).name for act in _DONE},
    )


def _lines(store: Store | None) -> tuple[list[Line], str | None]:
    """Return the lines of the ledger, and what is wrong where one cannot be read: then there are none."""
    if store is None:
        return [], None
    try:
        return store.ledger.lines(), None
    except InputError as error:  # whoever decides must see it
        return [], str(error)


def _given_keys(studio: Studio, act: str) -> dict[str, Path]:
    """Return the keys that stand in for files that a form does not bring: those of a demo, and none otherwise."""
    return {} if studio.settings.demo is None else keys_of(studio.settings.demo, act)


def _store(studio: Studio) -> Store | None:
    return None if studio.settings.store is None else Store(studio.settings.store)


def _about(studio: Studio, bundle: Path, store: Store | None) -> dict[str, Any]:
    """Return what speaks for and against a bundle, before anybody decides."""
    report = verify(bundle)
    unchecked = _unchecked(report)
    return {
        "name": report.name,
        "version": report.version,
        "weights": report.weights_digest,
        "verdict": report.verdict,
        "is_revised": (bundle / LINEAGE).is_file(),
        "against": [line for line in objections(report) if line not in unchecked],
        "warnings": report.warnings,
        "revised_by": who_revised(studio.workspace.runs, bundle),
        "is_recorded": store is not None and is_recorded("unlearn", bundle, store),
        "prepared_by": [] if store is None else prepared_by(bundle, store),
    }


def _before(store: Store) -> dict[str, Any] | None:
    """Return the version that a rollback would deploy; None where it cannot."""
    try:
        found = rollback_target(store)
    except InputError:  # the act says why; the rest of the page is worth showing
        return None
    if found is None:
        return None
    report, against = found
    unchecked = _unchecked(report)
    return {
        "name": report.name,
        "version": report.version,
        "against": [line for line in against if line not in unchecked],
    }


def _unchecked(report: Report) -> set[str]:
    """Return what `verify` says of a signature without a key: the act itself checks it."""
    return {fault.line for fault in report.faults if fault.kind is Kind.WRONG_KEY}


def _ledger(lines: Sequence[Line]) -> Table:
    rows = []
    for line in reversed(lines):
        event = line.event
        why = f"OVERRIDDEN: {event.why}" if event.overridden and event.event == "promote" else event.why or ""
        named = (f"{event.name} {event.version}", event.who, event.verdict or "–", why)
        rows.append(cells(str(line.number), f"{line.when[:10]} {line.when[11:19]}", event.event, *named))
    headings = ("line", "when (UTC)", "event", "bundle", "who", "verdict", "why")
    return Table(caption="The ledger, the newest line first", headings=headings, rows=rows, texts=len(headings))


async def check(request: Request) -> Response:
    """Check the ledger, and the bundle against the key of who must have signed it."""
    studio = studio_of(request)
    form = await read_form(request, studio.session)
    return await run_in_threadpool(_check, request, studio, form)


def _check(request: Request, studio: Studio, form: Form) -> Response:
    with key_files(form) as files:
        public = files.get(PUBLIC_KEY)
        known = [public] if public else public_keys(studio.settings.demo)
        store = _needed(studio)
        ledger = report_of(store.folder, public_keys=known, heads=[])
        found: list[str] = []
        if form["bundle"]:
            found = [
                fault.line
                for fault in verify(bundle_named(studio, form["bundle"]), public_key=next(iter(known), None)).faults
            ]
    checked = {
        "ledger": [fault["message"] for fault in ledger["faults"]],
        "lines": ledger["lines"],
        "notes": list(ledger["warnings"]),
        "name": form["bundle"],
        "bundle": found,
    }
    return _show(request, name=form["bundle"], checked=checked)


async def act(request: Request) -> Response:
    """Record who revised it, sign, promote, reject or roll back."""
    studio = studio_of(request)
    what = request.path_params["act"]
    if what not in _ACTS:
        raise InputError("there is no such act. Nothing was changed.")
    form = await read_form(request, studio.session, act=True)
    await run_in_threadpool(_act, studio, what, form)
    about = f"bundle={quote(form['bundle'], safe='')}&" if form["bundle"] else ""
    return RedirectResponse(f"/release?{about}done={what}", status_code=303)


def _act(studio: Studio, what: str, form: Form) -> None:
    """Do it, with who and why.

    Raises:
        InputError: A name, a reason or a key is missing, a line of the ledger cannot be read, or what is asked cannot
            be done.
        MovedOnError: It was decided on a page that shows something else than there is now.
        NotAccepted: The bundle is not verified, accepted and signed.
    """
    who, why = form.required("who", what="Your name"), form.required("why", what="The reason")
    store, password = _needed(studio), password_of(form)
    store.ledger.lines()
    with key_files(form, given=_given_keys(studio, what)) as files:
        key = required_key(files)
        head, _, weights = form["seen"].partition(_SEEN)
        acting = replace(act_of(store.folder, key, password=password, who=who, why=why), after=head)
        bundle = None if what == "rollback" else bundle_named(studio, form["bundle"])
        if bundle is not None and str(verify(bundle).weights_digest) != weights:
            raise MovedOnError("the bundle has other weights than when this page was opened. Nothing was changed.")
        acting.check_seen()
        if what == "sign" and bundle is not None:
            acting = _with_who_revised(studio, acting, bundle)
        _ACTS[what](acting, bundle, form, files, key)


def _with_who_revised(studio: Studio, acting: Act, bundle: Path) -> Act:
    """Note in the ledger, before a bundle is signed, who started its revision, where it has no line of that."""
    who = who_revised(studio.workspace.runs, bundle)
    if not who or is_recorded("unlearn", bundle, acting.store):
        return acting
    why = f"named when the revision was started; noted on signing. {acting.why}"
    line = record_run("unlearn", bundle, store=acting.store.folder, key=acting.key, who=who, why=why)
    return replace(acting, after=line.hash)


def _record(acting: Act, bundle: Path | None, form: Form, files: dict[str, Path], key: Path) -> None:  # noqa: ARG001 - as the other acts
    if bundle is not None:
        record_run("unlearn", bundle, store=acting.store.folder, key=acting.key, who=acting.who, why=acting.why)


def _sign(acting: Act, bundle: Path | None, form: Form, files: dict[str, Path], key: Path) -> None:  # noqa: ARG001 - as above
    if bundle is not None:
        sign(bundle, key, password=password_of(form), act=acting)


def _promote(acting: Act, bundle: Path | None, form: Form, files: dict[str, Path], key: Path) -> None:  # noqa: ARG001 - as above
    if bundle is not None:
        override = form["override"] == "yes"
        promote(bundle, acting, public_key=files.get(PUBLIC_KEY), override=override, two_people=True)


def _reject(acting: Act, bundle: Path | None, form: Form, files: dict[str, Path], key: Path) -> None:  # noqa: ARG001 - as above
    if bundle is not None:
        reject(bundle, acting, public_key=files.get(PUBLIC_KEY))


def _roll_back(acting: Act, bundle: Path | None, form: Form, files: dict[str, Path], key: Path) -> None:  # noqa: ARG001 - as above
    rollback(acting, public_key=files.get(PUBLIC_KEY))


_ACTS = {"unlearn": _record, "sign": _sign, "promote": _promote, "reject": _reject, "rollback": _roll_back}


def _needed(studio: Studio) -> Store:
    store = _store(studio)
    if store is None:
        raise ConfigError("the studio was started without a store: start it with --store DIR. Nothing was changed.")
    return store


ROUTES = [
    Route("/release", show),
    Route("/release/check", check, methods=["POST"]),
    Route("/release/{act}", act, methods=["POST"]),
]
