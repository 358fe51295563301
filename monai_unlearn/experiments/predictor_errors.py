"""How far predictors of retraining were off on rehearsal cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PREDICTED = "predicted"
"""The key of `metrics.json` below which a run with retrained networks and a predictor writes the predictor's rows."""


def predictor_errors(
    name: str, runs: Sequence[Mapping[str, Any]], *, reasons: Sequence[str], seeds: int
) -> dict[str, Any]:
    """Return the largest error of a predictor by subset and class, as a protocol holds it.

    A class that one of the runs does not predict is left out: its error there is unknown.

    Args:
        name: The predictor.
        runs: What each run measured, `metrics.json`.
        reasons: The reasons of the cohorts.
        seeds: Of how many proxy seeds each prediction was made.

    Raises:
        DataError: A run has no rows of the predictor.
    """
    found: list[dict[tuple[str, str], float]] = []
    for metrics in runs:
        rows = (metrics.get(PREDICTED) or {}).get(name)
        if rows is None:
            raise DataError(f"a run with --predictor {name} has written nothing that it predicted.")
        found.append({(row["subset"], row["class"]): abs(float(row["error"])) for row in rows})
    places = [place for place in (found[0] if found else {}) if all(place in one for one in found)]
    return {
        "name": name,
        "reasons": sorted(set(reasons)),
        "cohorts": len(found),
        "seeds": seeds,
        "errors": [
            {"subset": subset, "class": label, "error": min(1.0, max(one[subset, label] for one in found))}
            for subset, label in places
        ],
    }
