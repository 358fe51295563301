"""The outcome of a decision: the verdict with all that it follows from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation.decision.verdict import Basis, Verdict, exit_code, promotes

if TYPE_CHECKING:
    from monai_unlearn.errors import ExitCode
    from monai_unlearn.evaluation.decision.comparison import Comparison
    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.needs import Need
    from monai_unlearn.evaluation.decision.target import PredictedTarget

SCHEMA_VERSION = 1
TOP = ("verdict", "why", "needs", "basis")
"""What stands at the top level of `metrics.json` and of the card."""

SUMMARIES = {
    Verdict.EQUIVALENT: "within the declared margins of networks retrained without the cohort",
    Verdict.DIFFERENT: "beyond the declared margins of networks retrained without the cohort",
    Verdict.INCONCLUSIVE: "neither within nor beyond the declared margins is shown",
    Verdict.TARGET_UNDETERMINED: "the retrained networks do not agree closely enough to be a target",
    Verdict.NOT_KNOWN: "there is nothing to compare with",
    Verdict.QUALIFIED: "by a rehearsed protocol or a predicted target",
    Verdict.ERASED: "the cohort is no longer recognised, and the rest is kept",
    Verdict.NOT_ERASED: "the cohort is still recognised, or the rest is not kept",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A verdict, why, and what would decide.

    Attributes:
        verdict: One of `Verdict`.
        why: Its reasons, in sentences; the first says most.
        needs: What would decide, or lend more support.
        basis: What it rests on.
        comparisons: Every endpoint and guard with its figures.
        decision: What was declared.
        notes: What a reader must know of the decision and the evidence.
        remarks: What was judged more leniently than otherwise, for the line of the verdict.
        references: How many retrained networks count.
        spread: How the same revision under other seeds came out, which changes nothing above; None if there is none.
        summary: What the line says of the verdict; None for that of `SUMMARIES`.
        protocol: The protocol that the run applied, with the cohort and how far its classes moved; None without one.
        target: The predicted target that it was held against; None where it was not.
    """

    verdict: Verdict
    why: tuple[str, ...]
    needs: tuple[Need, ...]
    basis: Basis
    comparisons: tuple[Comparison, ...]
    decision: Decision
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    references: int = 0
    spread: dict[str, Any] | None = None
    summary: str | None = None
    protocol: dict[str, Any] | None = None
    target: PredictedTarget | None = None

    @property
    def promotes(self) -> bool:
        """Whether the revised bundle is promoted."""
        return promotes(self.verdict)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the run."""
        return exit_code(self.verdict)

    @property
    def line(self) -> str:
        """The verdict in one line, with whatever was declared or judged more leniently than the default."""
        lenient = (*self.decision.notes(), *self.remarks)
        head = f"{self.verdict.value}: {self.summary or SUMMARIES[self.verdict]}."
        return " ".join([head, *([self.target.line] if self.promotes and self.target else []), *lenient])

    def to_dict(self) -> dict[str, Any]:
        """Return what `outcome.schema.json` describes: plain values, always in the same order."""
        return {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict.value,
            "line": self.line,
            "why": list(self.why),
            "needs": [one.to_dict() for one in self.needs],
            "basis": self.basis.value,
            "notes": [*self.decision.notes(), *self.remarks, *self.notes],
            "references": self.references,
            "endpoints": [one.to_dict() for one in self.comparisons],
            "spread": self.spread,
            "declared": self.decision.to_dict(),
            "protocol": self.protocol,
            "predictor": None if self.target is None else self.target.to_dict(),
        }

    def to_metrics(self) -> dict[str, Any]:
        """Return `to_dict` as it stands in `metrics.json`: the keys of `TOP` first, the rest below `decision`."""
        document = self.to_dict()
        return {**{key: document.pop(key) for key in TOP}, "decision": document}
