"""The run of a request: a bundle run as a process, which goes on where it was killed, and is never begun twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.verdict import PROMOTING
from monai_unlearn.experiments.runner import LOG, WRITTEN, BundleRun
from monai_unlearn.watch.judge import run_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.watch.plan import WatchPlan
    from monai_unlearn.watch.spool import Request, Spool

_ACCEPTED = {one.value for one in PROMOTING}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run ended.

    Attributes:
        verdict: Its verdict; None where it wrote none.
        reasons: Why it is left for a person; empty where it was accepted.
        digests: Digests of what it wrote.
        is_killed: Whether the system ended it: it may go on.
    """

    is_killed: bool = False
    verdict: str | None = None
    reasons: list[str] = field(default_factory=list)
    digests: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, run: BundleRun) -> Ended:
        """Run it, unless it is finished, and return how it ended."""
        run.wait_for_orphan()
        if not run.is_finished:
            code, error = run.execute()
            if code < 0:
                return cls(is_killed=True)
            if code not in WRITTEN or not run.is_finished:
                return cls(reasons=[f"Its run ended with exit code {code}: {error} Its log is {run.folder / LOG}."])
        content = run.output.metrics.read_bytes()
        metrics = json.loads(content)
        verdict = str(metrics["verdict"])
        accepted = verdict in _ACCEPTED and run.output.bundle(accepted=True).is_dir()
        why = [] if accepted else [f"Its run was not accepted: {verdict}.", *map(str, metrics.get("why") or ())]
        return cls(verdict=verdict, reasons=why, digests={"metrics": f"sha256:{hashlib.sha256(content).hexdigest()}"})


def revise(request: Request, plan: WatchPlan, spool: Spool) -> BundleRun:
    """Return the run of a request, begun or not."""
    settings = {
        "index_dir": str(plan.index.resolve()),
        "cohort_spec": str(run_spec(request, spool).resolve()),
        "protocol": str(plan.protocol.resolve()),
        **({"keyfile": str(plan.keyfile.resolve())} if plan.keyfile else {}),
        **plan.fixed,
    }
    config = Path(request.bundle or ".") / "configs" / "unlearn.yaml"
    return BundleRun(config=config, settings=settings, folder=spool.folder(request.id).resolve(), in_ledger=True)
