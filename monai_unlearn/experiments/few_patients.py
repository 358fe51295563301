"""Finds, before hours of training, the classes of a cohort that no verdict can decide about: too few test patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.errors import UnlearnError
from monai_unlearn.evaluation.decision import Decision
from monai_unlearn.experiments.plan import section_of, split_setting, splits_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from monai_unlearn.experiments.draw import RehearsalCohort
    from monai_unlearn.index import Index

TEST = "test"


def few_patients(
    cohort: RehearsalCohort, index: Index, *, config: Path, fixed: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """Return, by subset, the classes with fewer test patients than an endpoint asks for, and how many they have.

    Args:
        cohort: A cohort that is to be judged.
        index: Its index.
        config: The bundle's `unlearn.yaml`, which declares split and decision.
        fixed: Settings of the runs, as text.

    Returns:
        Nothing where split or decision hold expressions: only a run evaluates them.
    """
    rule, label = split_setting(config, fixed), index.label
    if rule is None or label is None:
        return {}
    resolved = cohort.spec.resolve(index)
    parts = {"forget": resolved.forget, "remain": resolved.remain}
    classes = {str(name) for frame in parts.values() for name in frame[label].dropna()}
    decision = _decision(config, fixed, classes)
    if decision is None:
        return {}
    splits = splits_of(resolved, rule)
    found: dict[str, dict[str, int]] = {}
    for part, frame in parts.items():
        subset = f"{part}_{TEST}"
        if subset in decision.subsets:
            tested = frame[(splits[part] == TEST).to_numpy()]
            counts = tested.groupby(label, observed=True)["patient"].nunique()
            fewest = decision.min_patients(subset)
            few = {str(name): int(counts.get(name, 0)) for name in frame[label].dropna().unique()}
            found[subset] = {name: count for name, count in sorted(few.items()) if count < fewest}
    return {subset: few for subset, few in found.items() if few}


def in_words(name: str, found: Mapping[str, Mapping[str, int]]) -> str:
    """Return what a user must know of a cohort with too few test patients.

    >>> in_words("a", {"forget_test": {"glaucoma": 12}})
    'a: too few test patients to decide about: glaucoma on the forget part (12). Its verdict will be inconclusive.'
    """
    said = [
        f"{label} on the {subset.removesuffix(f'_{TEST}')} part ({count})"
        for subset, few in found.items()
        for label, count in few.items()
    ]
    return f"{name}: too few test patients to decide about: {', '.join(said)}. Its verdict will be inconclusive."


def _decision(config: Path, fixed: Mapping[str, str], classes: Iterable[str]) -> Decision | None:
    """Return what runs are judged by, or None where only a run can tell."""
    try:
        # What is healthy decides nothing here, and is an expression in many bundles.
        section = {**section_of(config, fixed, "decision"), "healthy_classes": []}
        return Decision.from_config(section, class_names=sorted(classes))
    except (TypeError, UnlearnError):
        return None
