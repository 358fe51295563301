"""A protocol made up for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monai_unlearn.evaluation.decision.applied_protocol import AppliedProtocol, CohortFacts, Images
from monai_unlearn.evaluation.decision.failure_bound import bound_line, failure_bound
from monai_unlearn.evaluation.decision.protocol import Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

COHORT = CohortFacts(reason="device_deprecation", patients=300, share=0.4, classes=("healthy", "sick"))
"""A cohort that the example is qualified for."""


def digest(letter: str) -> str:
    """A digest of one letter."""
    return f"sha256:{letter * 64}"


MOVES = {"mean_probability": (-0.3, -0.1), "classified": (0.1, 0.3), "moved": (0.1, 0.4), "movement": (0.1, 0.4)}
"""The range of each thing that is compared with the rehearsal."""


def ranges(
    moves: Mapping[str, tuple[float, float]] = MOVES, classes: tuple[str, str] = ("healthy", "sick")
) -> list[dict[str, Any]]:
    """The ranges of both classes on forget images."""
    return [
        {
            "subset": subset,
            "class": label,
            "what": what,
            "predicted": other if what == "classified" else None,
            "low": low,
            "high": high,
        }
        for subset in ("forget_train", "forget_test")
        for label, other in (classes, classes[::-1])
        for what, (low, high) in moves.items()
    ]


def content(*, cohorts: int = 10, equivalent: int | None = None, tuned: int = 2, **changed: Any) -> dict[str, Any]:
    """The document of a protocol whose first `equivalent` cohorts came out so; `changed` replaces top-level keys."""
    equivalent = cohorts if equivalent is None else equivalent
    evidence = [
        {
            "cohort": f"camera-{number}",
            "spec": f"sha256:{number:064x}",
            "index": digest("b"),
            "verdict": "equivalent" if number < equivalent else "different",
            "metrics": f"sha256:{16 + number:064x}",
        }
        for number in range(cohorts + tuned)
    ]
    return {
        "schema_version": 1,
        "bundle": {"name": "Fundus classifier", "version": "0.1.0", "weights": digest("a")},
        "method": {"name": "reset", "depth": "last_block"},
        "settings": {"learning_rate": 0.00001},
        "budget": 0.1,
        "decision": {"healthy_classes": ["healthy"]},
        "qualified_for": {
            "reasons": ["device_deprecation"],
            "patients": {"min": 100, "max": 500},
            "share": {"min": 0.2, "max": 0.6},
            "classes": ["healthy", "sick"],
        },
        "rehearsal": {
            "cohorts": cohorts,
            "equivalent": equivalent,
            "bound": failure_bound(cohorts, equivalent),
            "line": bound_line(cohorts, equivalent),
            "least_moved": 0.05,
            "ranges": ranges(),
            "evidence": evidence[:cohorts],
            "tuned": tuned,
            "tuned_on": evidence[cohorts:],
        },
        "predictors": [],
        **changed,
    }


def protocol(**options: Any) -> Protocol:
    """The protocol with this document."""
    return Protocol.from_dict(content(**options), source="protocol.yaml")


def applied(
    table: Images, *, given: Protocol | None = None, accept: float | None = None, **facts: Any
) -> AppliedProtocol:
    """The protocol as a run applies it that has these predictions; `facts` replaces what they say of the cohort."""
    cohort = replace(CohortFacts.of(table, reason=COHORT.reason), **facts)
    return AppliedProtocol(protocol=given or protocol(), cohort=cohort, accept_bound=accept)
