"""Compare two cohorts, frozen or by their specs: which images change their part, and which differences cause it."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.reports.disclosure import Relation, at_most, total
from monai_unlearn.cohort.reports.places import PLACES, joined
from monai_unlearn.cohort.reports.spec_differences import differences_of
from monai_unlearn.cohort.reports.suppress import Connections, check_limit, masked, suppressed
from monai_unlearn.cohort.resolve.cohort import Cohort
from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.cohort.resolve.guards import refusal
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from monai_unlearn.cohort.reports.disclosure import Key
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.index import Index


def compare(
    first: CohortSpec | Cohort | Frozen,
    second: CohortSpec | Cohort | Frozen,
    index: Index | None,
    *,
    listed: bool = False,
) -> dict[str, Any]:
    """Return how two cohorts differ, as plain values.

    Each is a spec, which is resolved on the index, or a cohort, resolved or frozen, which has its members already. A
    cohort that the guards refuse is compared as well; `refused` says why. Without an index, patients are not counted.

    Args:
        first: What images come from, A.
        second: What they move to, B.
        index: The index; two frozen cohorts need none.
        listed: Whether to name the images that move.

    Raises:
        SpecError: A field or value does not fit the index.
        IndexReadError: The index cannot be read.
        CohortError: There is a spec and no index.
    """
    sides = {"a": cohort_of(first, index), "b": cohort_of(second, index)}
    images = joined(sides["a"], sides["b"], index)
    moved = images[images["a"] != images["b"]]
    document: dict[str, Any] = {
        **{side: _side(cohort) for side, cohort in sides.items()},
        "index_digest": None if index is None else index.digest,
        "moved": {"images": len(moved), "patients": None if index is None else _patients(moved)},
        "images": crossed(zip(images["a"], images["b"], strict=True), PLACES, PLACES),
        "patients": None if index is None else _crossed_patients(images),
        **differences_of(sides["a"], sides["b"]),
    }
    if listed:
        document["image_ids"] = [
            {"from": place_a, "to": place_b, "image_ids": sorted(group.index)}
            for (place_a, place_b), group in moved.groupby(["a", "b"])
        ]
    return document


def cohort_of(given: CohortSpec | Cohort | Frozen, index: Index | None) -> Cohort | Frozen:
    """Resolve a spec without the guards; return a cohort as it is.

    Raises:
        SpecError: A field or value does not fit the index.
        IndexReadError: The index cannot be read.
        CohortError: There is no index to resolve the spec on.
    """
    if isinstance(given, Frozen | Cohort):
        return given
    if index is None:
        raise CohortError(f"{given.source}: a spec needs an index to be resolved on. Give --index DIR.")
    return resolve_unguarded(given, index)


def suppress_comparison(comparison: Mapping[str, Any], *, below: int) -> dict[str, Any]:
    """Return `compare(…)` with its small counts suppressed; see `suppress_preview`.

    Raises:
        CohortError: N is below 3, or the comparison names images.
    """
    check_limit(below)
    if "image_ids" in comparison:
        raise CohortError("--list names every image that moves: leave it out, or leave out --suppress-below.")
    if comparison["patients"] is None:
        raise CohortError("--suppress-below hides counts of patients as well, which need the index. Give --index DIR.")
    document = suppressed(comparison, _ComparisonConnections(comparison), below=below)
    for side in "ab":
        if reason := comparison[side]["refused"]:
            document[side]["refused"] = masked(reason, source=comparison[side]["spec"])
    for change in document["changes"]:
        if change["key"] == "sample.count":  # of the images that are forgotten
            change |= {side: None if change[side] is None else "…" for side in "ab"}
    return document


def crossed(
    images: Iterable[tuple[str, str]], rows: tuple[str, ...], columns: tuple[str, ...]
) -> dict[str, dict[str, int]]:
    """Count the images at each place on one side (rows) and on the other (columns)."""
    counts = Counter(images)
    return {row: {column: counts[row, column] for column in columns} for row in rows}


def _crossed_patients(images: pd.DataFrame) -> dict[str, dict[str, int]]:
    named = images[images["patient"] >= 0]
    counts = named.groupby(["a", "b"])["patient"].nunique().to_dict()
    return {row: {column: int(counts.get((row, column), 0)) for column in PLACES} for row in PLACES}


def _patients(images: pd.DataFrame) -> int:
    return int(images.loc[images["patient"] >= 0, "patient"].nunique())


def _side(cohort: Cohort | Frozen) -> dict[str, Any]:
    if isinstance(cohort, Frozen):
        spec, counts = cohort.manifest["spec"], {key: cohort.manifest[key] for key in ("images", "patients")}
        name, digest, refused = spec["content"]["name"], spec["digest"], None
        return {"spec": cohort.source, "name": name, "spec_digest": digest, **counts, "refused": refused}
    return {
        "spec": cohort.spec.source,
        "name": cohort.spec.name,
        "spec_digest": cohort.spec.digest,
        "images": cohort.images,
        "patients": cohort.patients,
        "refused": refusal(cohort),
    }


class _ComparisonConnections(Connections):
    """What everybody knows about the counts of a comparison."""

    def __init__(self, comparison: Mapping[str, Any]) -> None:
        super().__init__()
        for unit in ("images", "patients"):
            self.matrix((unit,), comparison[unit])
            for side in "ab":
                for part in PARTS:
                    self.places[side, unit, part] = (side, unit, part)
            self.places["moved", unit] = ("moved", unit)
        for unit, (side, part) in product(("images", "patients"), product("ab", PARTS)):
            cells: list[Key] = [(unit, *((part, other) if side == "a" else (other, part))) for other in PLACES]
            self._sum((side, unit, part), cells)
        for unit in ("images", "patients"):
            self._sum(("moved", unit), [(unit, a, b) for a, b in product(PLACES, PLACES) if a != b])
        for key in [key for key in self.places.values() if "patients" in key]:
            self.relations.append(at_most(key, tuple("images" if step == "patients" else step for step in key)))

    def _sum(self, whole: Key, cells: list[Key]) -> None:
        """Images add up; a patient may be at several places, and counts once in the total."""
        if "images" in whole:
            self.relations.append(total(whole, cells))
            return
        self.relations.append(at_most(whole, *cells))
        self.relations += [Relation({whole: 1, cell: -1}, exact=False) for cell in cells]
