"""Decides whether a request may be run, and what its run forgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.cohort.resolve.resolve import with_pseudonyms
from monai_unlearn.experiments.plan import split_setting
from monai_unlearn.index import Index
from monai_unlearn.watch.caps import beyond
from monai_unlearn.watch.requests import combine
from monai_unlearn.watch.spool import DONE

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.evaluation.decision.protocol import Protocol
    from monai_unlearn.watch.base import Base
    from monai_unlearn.watch.plan import WatchPlan
    from monai_unlearn.watch.spool import Request, Spool
    from monai_unlearn.watch.steps import Steps


def run_spec(request: Request, spool: Spool) -> Path:
    """Return the spec of a request's run: its own, or the joined one."""
    name = f"with-earlier-{request.id}.yaml"
    return spool.folder(request.id) / name if request.with_earlier else spool.spec(request)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Judges requests.

    Args:
        plan: What the service was asked to do.
        spool: All requests.
        protocol: The protocol.
        base: The bundle that would be revised.
        steps: The ledger; None without one.
    """

    plan: WatchPlan
    spool: Spool
    protocol: Protocol
    base: Base
    steps: Steps | None

    def of(self, request: Request) -> tuple[Request, list[str]]:
        """Return the request with those that its run forgets as well, and why it may not be run.

        Raises:
            InputError: Spec, index or bundle cannot be used, or specs cannot be joined.
        """
        if self.steps is None:
            return request, ["There is no ledger to note a run in: the service was started without --store and --key."]
        if why := self.base.why_not(self.protocol):
            return request, [why]
        earlier = [one for one in self.spool.all() if one.state == DONE and one.protocol == self.protocol.digest]
        request = replace(request, with_earlier=[one.id for one in earlier])
        if earlier:
            specs = [CohortSpec.read(self.spool.spec(one)) for one in (*earlier, request)]
            path = run_spec(request, self.spool)
            combine(specs[-1], specs[:-1], path.parent, name=path.stem)
        found = self._beyond(run_spec(request, self.spool))
        if self.steps.started(but=request) >= self.plan.runs_a_day:
            found.append(
                f"{self.plan.runs_a_day} runs within 24 hours are allowed (--runs-a-day), and as many began already."
            )
        return request, found

    def _beyond(self, spec: Path) -> list[str]:
        index = Index.open(self.plan.index, trust=self.plan.trust_index)
        cohort = with_pseudonyms(CohortSpec.read(spec), index, self.plan.keyfile).resolve(index)
        said = {name: str(value) for name, value in self.protocol.settings.items()}
        split = split_setting(self.base.root / "configs" / "unlearn.yaml", {**said, **self.plan.fixed})
        return beyond(cohort, self.protocol, split=split)
