"""The service: takes what is in the inbox, previews it, and runs what its protocol allows; the rest is for a person."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError, InputError
from monai_unlearn.evaluation.decision.protocol import Protocol
from monai_unlearn.locks import locked
from monai_unlearn.release.record_run import KEY_VARIABLE, LEDGER_VARIABLES, STORE_VARIABLE
from monai_unlearn.release.store import Store
from monai_unlearn.staging import write_json
from monai_unlearn.terminal import json_text
from monai_unlearn.watch.base import Base, base_of
from monai_unlearn.watch.intake import Intake
from monai_unlearn.watch.judge import Judge
from monai_unlearn.watch.previews import preview
from monai_unlearn.watch.revise import Ended, revise
from monai_unlearn.watch.spool import DONE, LEFT, RUNNING, TAKEN, Request, Spool
from monai_unlearn.watch.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from monai_unlearn.watch.plan import WatchPlan

SCHEMA_VERSION = 1
MAX_ATTEMPTS = 3
PREVIEW = "preview.json"


class Service:
    """The service, while it holds its folder; `opened_service` makes one.

    Args:
        plan: What it was asked to do.
    """

    def __init__(self, plan: WatchPlan) -> None:
        self.plan = plan
        self.spool = Spool(plan.out)
        self.protocol = Protocol.read(plan.protocol)
        self.intake = Intake(plan, self.spool)

    def scan(self, *, strangers: int | None = None) -> dict[str, Any]:
        """Do what there is to do, and return what became of the requests that were open.

        Requests of those who are trusted come first, whatever came before them.

        Args:
            strangers: How many requests of others to look at, so that new ones of those who are trusted are seen
                meanwhile; the rest waits as `taken`. None for all.

        Raises:
            InputError: The folder of the service, its ledger or a key cannot be used.
        """
        steps = self._steps()
        taken = self.intake.take()
        ended = [self._advance(one, steps) for one in self._waiting(taken.requests, strangers)]
        counts = dict.fromkeys((TAKEN, RUNNING, DONE, LEFT), 0)
        for one in self.spool.all():
            counts[one.state] += 1
        return {
            "schema_version": SCHEMA_VERSION,
            "requests": [self._shown(one) for one in ended],
            "counts": counts,
            "unread": taken.unread,
        }

    def _waiting(self, new: Sequence[str], strangers: int | None) -> list[Request]:
        """Return the open requests in the order in which they are worked on."""
        order = {request: number for number, request in enumerate(new)}
        found = sorted((one for one in self.spool.all() if one.is_open), key=lambda one: order.get(one.id, -1))
        # A run that was begun goes on first, whatever came since.
        trusted = sorted((one for one in found if one.trusted), key=lambda one: one.state != RUNNING)
        return [*trusted, *[one for one in found if not one.trusted][:strangers]]

    def _shown(self, request: Request) -> dict[str, Any]:
        bundle = revise(request, self.plan, self.spool).output.bundle(accepted=True)
        left = self.spool.left(request.id)
        return {
            **request.shown(),
            "revised_bundle": str(bundle) if request.state == DONE else None,
            "reason_file": str(left) if request.state == LEFT else None,
        }

    def _steps(self) -> Steps | None:
        """Return what notes steps in the ledger; None without one."""
        plan = self.plan
        if plan.store is None or plan.key is None:
            return None
        steps = Steps(
            store=Store(plan.store),
            key=plan.key,
            name=self.protocol.bundle.name,
            version=self.protocol.bundle.version,
            protocol=self.protocol.digest,
        )
        if missing := steps.accepted() - {one.visit for one in self.spool.all()}:
            raise ConfigError(
                f"--out {plan.out}: the ledger notes {len(missing)} accepted runs of this protocol that are not there: "
                "nobody would know what they forgot. Give the folder that the service wrote to before."
            )
        return steps

    def _advance(self, request: Request, steps: Steps | None) -> Request:
        """Bring a request to its end: a revision, or a person."""
        if steps is not None:
            steps.note("receive", request)
        if request.attempts >= MAX_ATTEMPTS and not self._is_finished(request):
            why = f"The service ended {MAX_ATTEMPTS} times while it worked on it."
            return self._leave(request, steps, [why], self._kept_preview(request))
        request = self.spool.keep(replace(request, attempts=request.attempts + 1))
        if request.state == RUNNING:
            return self._run(request, steps)
        return self._judged(request, steps)

    def _is_finished(self, request: Request) -> bool:
        """Return whether the run of a request came to its end, however often the service ended meanwhile.

        Left for a person, an accepted revision would be no part of what later runs forget.
        """
        if request.state != RUNNING:
            return False
        run = revise(request, self.plan, self.spool)
        run.wait_for_orphan()
        return run.is_finished

    def _judged(self, request: Request, steps: Steps | None) -> Request:
        """Preview a request, and run it or leave it."""
        found, refused = self._preview(request, steps)
        if request.reasons or refused:
            return self._leave(request, steps, [*request.reasons, *refused], found)
        try:
            base = base_of(self.plan)
            judge = Judge(plan=self.plan, spool=self.spool, protocol=self.protocol, base=base, steps=steps)
            request, reasons = judge.of(request)
        except InputError as error:
            reasons = [str(error)]
        if reasons:
            return self._leave(request, steps, reasons, found)
        return self._run(self._begun(request, base), steps)

    def _begun(self, request: Request, base: Base) -> Request:
        begun = replace(request, state=RUNNING, attempts=1, protocol=self.protocol.digest, bundle=str(base.root))
        return self.spool.keep(begun)

    def _preview(self, request: Request, steps: Steps | None) -> tuple[dict[str, Any] | None, list[str]]:
        """Return the preview of a request, if there is one, and why it was refused."""
        if not self.spool.spec(request).is_file():  # the reasons say why
            return None, []
        found = preview(self.spool.spec(request), self.plan)
        if found.document is None:
            return None, [str(found.refused)]
        write_json(self.spool.folder(request.id) / PREVIEW, found.document)
        if steps is not None:
            text = json_text(found.document, sort_keys=True)
            steps.note("preview", request, digests={"preview": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"})
        return found.document, []

    def _kept_preview(self, request: Request) -> dict[str, Any] | None:
        path = self.spool.folder(request.id) / PREVIEW
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def _leave(
        self, request: Request, steps: Steps | None, reasons: list[str], found: dict[str, Any] | None
    ) -> Request:
        """Leave a request for a person, with a reason file."""
        reasons = list(dict.fromkeys(reasons))
        # First, so that a service that is killed now decides nothing else later.
        request = self.spool.keep(replace(request, reasons=reasons))
        folder = self.spool.folder(request.id)
        document = {
            "schema_version": SCHEMA_VERSION,
            **request.shown(),
            "file": request.file,
            "state": LEFT,
            "preview": found,
            "what_to_do": (
                f"Look at the preview and at {folder}. Revise by hand if it is right, with the spec that is there. To "
                f"have the service look at it again, remove {folder} and this file; the file in the inbox is read anew."
            ),
        }
        write_json(self.spool.left(request.id), document)
        if steps is not None:
            steps.note("leave", request, why=" ".join(reasons), verdict=request.verdict)
        return self.spool.keep(replace(request, state=LEFT))

    def _run(self, request: Request, steps: Steps | None) -> Request:
        if steps is None:
            raise ConfigError("a run was begun, and its ledger is not given any more. Give --store and --key again.")
        if request.reasons:
            return self._leave(request, steps, list(request.reasons), self._kept_preview(request))
        steps.note("start", request)
        try:
            ended = Ended.of(revise(request, self.plan, self.spool))
        except (KeyboardInterrupt, SystemExit):  # stopped, which is no failure
            self.spool.keep(replace(request, attempts=request.attempts - 1))
            raise
        if ended.is_killed:
            return request
        if ended.verdict is None:
            return self._leave(request, steps, ended.reasons, self._kept_preview(request))
        request = replace(request, verdict=ended.verdict)
        steps.note("finish", request, verdict=ended.verdict, digests=ended.digests)
        if ended.reasons:
            return self._leave(request, steps, ended.reasons, self._kept_preview(request))
        return self.spool.keep(replace(request, state=DONE))


@contextmanager
def opened_service(plan: WatchPlan) -> Iterator[Service]:
    """Hold the folder of the service, and the store, so that one run goes on at a time.

    Raises:
        ConfigError: Another service works there; the folder is something else's.
    """
    _own(plan.out)
    with ExitStack() as held:
        for place, option in ((plan.out, "--out"), (plan.store, "--store")):
            if place is not None:
                refusal = ConfigError(f"{option} {place}: another service works there. Stop it first.")
                held.enter_context(locked(place / ".watch.lock", refusal=refusal))
        held.enter_context(_ledger_of_runs(plan))
        yield Service(plan)


def _own(out: Path) -> None:
    """Make the folder of the service, for its owner alone: it holds identifiers of patients."""
    known = {"requests", "left", ".watch.lock"}
    if out.is_file() or (out.is_dir() and not {path.name for path in out.iterdir()} <= known):
        raise ConfigError(f"--out {out}: expected a new or empty folder, or that of this service. Choose another.")
    out.mkdir(parents=True, exist_ok=True)
    out.chmod(0o700)


@contextmanager
def _ledger_of_runs(plan: WatchPlan) -> Iterator[None]:
    """Let runs note themselves in the ledger of the service, whatever the environment said."""
    before = {name: os.environ.get(name) for name in LEDGER_VARIABLES}
    said = {STORE_VARIABLE: plan.store, KEY_VARIABLE: plan.key_file} if plan.store else {}
    try:
        for name in LEDGER_VARIABLES:
            os.environ.pop(name, None)
        os.environ.update({name: str(path) for name, path in said.items()})
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
