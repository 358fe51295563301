"""In what the specs of two cohorts differ, key by key and rule by rule, without values that identify somebody."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.cohort.spec.spec import CohortSpec
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.resolve.cohort import Cohort


def differences_of(first: Cohort | Frozen, second: Cohort | Frozen) -> dict[str, Any]:
    """Return `changes`, the keys in which two specs differ, and `rules`, those of both and of only one.

    The manifest of a frozen cohort leaves out lists and values that identify people. Where it does, only what it says
    can be compared, and a difference in what is left out shows in the digests alone.
    """
    specs = [_spec_of(side) for side in (first, second)]
    if specs[0] is not None and specs[1] is not None:
        return {"changes": list(_changes(specs[0], specs[1])), "rules": _rules(specs[0], specs[1])}
    shown = [side.manifest["spec"] if isinstance(side, Frozen) else side.passed_on.spec for side in (first, second)]
    return {"changes": list(_shown_changes(*shown)), "rules": _counted(*(spec["rules"] for spec in shown))}


def _spec_of(side: Cohort | Frozen) -> CohortSpec | None:
    """Return the spec of a cohort; None where the manifest does not hold all of it."""
    if not isinstance(side, Frozen):
        return side.spec
    spec = side.manifest["spec"]
    return CohortSpec.from_dict(spec["content"], source=f"the spec in {side.source}") if spec["whole"] else None


def _changes(first: CohortSpec, second: CohortSpec) -> Iterator[dict[str, Any]]:
    """Yield the keys in which two specs differ, without values that identify somebody."""
    real = [_flat(spec.to_dict()) for spec in (first, second)]
    shown = [{**values, **_private(spec)} for values, spec in zip(real, (first, second), strict=True)]
    yield from _differing(real, shown)


def _shown_changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    content = [_flat(spec["content"]) for spec in (first, second)]
    found = list(_differing(content, content))
    yield from found
    if not found and first["digest"] != second["digest"]:
        yield {"key": "digest", "a": first["digest"], "b": second["digest"], "values_hidden": True}


def _differing(real: list[dict[str, Any]], shown: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for key in dict.fromkeys((*real[0], *real[1])):
        if real[0].get(key) != real[1].get(key):
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
        **{key: f"… {counted(len(values), 'value')}" for key, values in lists.items()},
    }


def _shown(predicate: Predicate) -> str:
    return predicate.render(private=True)


def _rules(first: CohortSpec, second: CohortSpec) -> dict[str, list[str]]:
    """Return the rules of both specs and of only one; rules are equal if their canonical texts are."""
    shown = {str(rule): _shown(rule) for spec in (first, second) for rule in spec.rules}
    found = _counted(*(list(map(str, spec.rules)) for spec in (first, second)))
    return {name: [shown[text] for text in texts] for name, texts in found.items()}


def _counted(first: list[str], second: list[str]) -> dict[str, list[str]]:
    sides = Counter(first), Counter(second)
    found = {"both": sides[0] & sides[1], "only_a": sides[0] - sides[1], "only_b": sides[1] - sides[0]}
    return {name: list(texts.elements()) for name, texts in found.items()}
