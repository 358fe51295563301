"""Compare two specs on one index: which images change their part, and which differences in the specs cause it."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.reports.disclosure import Relation, at_most, total
from monai_unlearn.cohort.reports.places import PLACES, places
from monai_unlearn.cohort.reports.suppress import Connections, check_limit, masked, suppressed
from monai_unlearn.cohort.resolve.guards import refusal
from monai_unlearn.cohort.resolve.resolve import resolve_unguarded
from monai_unlearn.errors import CohortError
from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.reports.disclosure import Key
    from monai_unlearn.cohort.resolve.cohort import Cohort
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.index import Index


def compare(first: CohortSpec, second: CohortSpec, index: Index, *, listed: bool = False) -> dict[str, Any]:
    """Return how two specs differ on an index, as plain values.

    A cohort that the guards refuse is compared as well; `refused` says why.

    Args:
        first: The spec that images come from, A.
        second: The spec that they move to, B.
        index: The index that both are resolved on.
        listed: Whether to name the images that move.

    Raises:
        SpecError: A field or value does not fit the index.
        IndexReadError: The index cannot be read.
    """
    cohorts = {"a": resolve_unguarded(first, index), "b": resolve_unguarded(second, index)}
    before, after = (places(cohort) for cohort in cohorts.values())
    images = before.rename(columns={"place": "a"}).assign(b=after["place"])
    moved = images[images["a"] != images["b"]]
    document: dict[str, Any] = {
        **{side: _side(cohort) for side, cohort in cohorts.items()},
        "index_digest": index.digest,
        "moved": {"images": len(moved), "patients": _patients(moved)},
        "images": crossed(zip(images["a"], images["b"], strict=True), PLACES, PLACES),
        "patients": _crossed_patients(images),
        "changes": list(_changes(first, second)),
        "rules": _rules(first, second),
    }
    if listed:
        document["image_ids"] = [
            {"from": place_a, "to": place_b, "image_ids": sorted(group.index)}
            for (place_a, place_b), group in moved.groupby(["a", "b"])
        ]
    return document


def suppress_comparison(comparison: Mapping[str, Any], *, below: int) -> dict[str, Any]:
    """Return `compare(…)` with its small counts suppressed; see `suppress_preview`.

    Raises:
        CohortError: N is below 3, or the comparison names images.
    """
    check_limit(below)
    if "image_ids" in comparison:
        raise CohortError("--list names every image that moves: leave it out, or leave out --suppress-below.")
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


def _side(cohort: Cohort) -> dict[str, Any]:
    return {
        "spec": cohort.spec.source,
        "name": cohort.spec.name,
        "spec_digest": cohort.spec.digest,
        "images": cohort.images,
        "patients": cohort.patients,
        "refused": refusal(cohort),
    }


def _changes(first: CohortSpec, second: CohortSpec) -> Iterator[dict[str, Any]]:
    """Yield the keys in which two specs differ, without values that identify somebody."""
    real = [_flat(spec.to_dict()) for spec in (first, second)]
    shown = [{**values, **_private(spec)} for values, spec in zip(real, (first, second), strict=True)]
    for key in dict.fromkeys((*real[0], *real[1])):
        values = [side.get(key) for side in real]
        if values[0] != values[1]:
            texts = [side.get(key) for side in shown]
            yield {"key": key, "a": texts[0], "b": texts[1], "values_hidden": texts[0] == texts[1]}


def _flat(content: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return nested mappings as one with keys such as `sample.seed`, without None."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{above}{key}.")
        elif value is not None:
            found[above + key] = value
    return found


def _private(spec: CohortSpec) -> dict[str, str]:
    """Return what is shown for the keys whose values may identify somebody."""
    predicates = {"forget": spec.forget, "population": spec.population}
    lists = {key: values for key, values in _flat(spec.to_dict()).items() if key.startswith(("value_sets.", "absent"))}
    return {
        **{key: _shown(predicate) for key, predicate in predicates.items() if predicate is not None},
        **{key: f"… {len(values)} values" for key, values in lists.items()},
    }


def _shown(predicate: Predicate) -> str:
    return predicate.render(private=True)


def _rules(first: CohortSpec, second: CohortSpec) -> dict[str, list[str]]:
    """Return the rules of both specs and of only one; rules are equal if their canonical texts are."""
    sides = [Counter(map(str, spec.rules)) for spec in (first, second)]
    shown = {str(rule): _shown(rule) for spec in (first, second) for rule in spec.rules}
    found = {"both": sides[0] & sides[1], "only_a": sides[0] - sides[1], "only_b": sides[1] - sides[0]}
    return {name: [shown[text] for text in texts.elements()] for name, texts in found.items()}


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
