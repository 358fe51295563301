"""What earlier revisions forgot of few patients: judged together, and where even that is little, by the difference.

Three patients who withdrew can never show that they are still forgotten: no interval over three is inside a margin.
Asked for thirty of each class, no later revision of the bundle would ever be `equivalent`. So, of each earlier cohort:

- a class with enough patients is judged by itself, as every other;
- the other classes are judged together, by the mean probability of the true class, which is what rises where images are
  learned again; with enough patients together, its interval must lie inside the margin;
- with fewer, the difference itself must be within the margin. Shown to be beyond it, the verdict is still `different`;
- where the decision declares another measure of the cohort, the small classes are judged together by that one, too;
- no class of two patients or more may be shown to be beyond the margin, or differ by twice as much: one class that is
  learned again does not hide behind another.

The references never saw these images, and more patients than there were cannot be found. The line of the verdict says
how many there are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.compare_subsets import TWO
from monai_unlearn.evaluation.decision.comparison import Comparison
from monai_unlearn.evaluation.decision.endpoint import ALL, Endpoint, is_about_earlier, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import Evidence


def with_pools(asked: Iterable[Comparison], decision: Decision, evidence: Evidence) -> Iterator[Comparison]:
    """Yield comparisons without figures, with the small classes of earlier cohorts judged together.

    Args:
        asked: What is to be judged, class by class.
        decision: What was declared; an endpoint on one class of an earlier cohort stays as it is.
        evidence: The means of all networks.
    """
    small = {name: small_classes(name, decision, evidence) for name in decision.subsets if is_about_earlier(name)}
    named = {(one.subset, one.measure, one.label) for one in decision.endpoints if one.label != ALL}
    for one in asked:
        if one.label not in small.get(one.subset, ()) or (one.subset, one.measure, one.label) in named:
            yield one
        elif one.measure in _measures(one.subset, decision) and _patients(evidence, one.subset, one.label) >= TWO:
            yield replace(one, rule="not_beyond", is_guard=True, min_patients=0)
    for subset in small:
        for measure in _measures(subset, decision):
            yield from pool(subset, measure, decision, evidence)


def as_points(like: Comparison, evidence: Evidence) -> Comparison:
    """Return a comparison over images of an earlier cohort, judged by the difference itself if patients are few."""
    labels = [name for name in like.pooled or evidence.class_names if evidence.of(like.subset, name)]
    few = _patients(evidence, like.subset, *labels) < like.min_patients
    return replace(like, rule="point_within", min_patients=0) if few else like


def remarks(comparisons: Iterable[Comparison], decision: Decision) -> tuple[str, ...]:
    """Return what the line of the verdict says of earlier cohorts that were judged more leniently than others.

    Args:
        comparisons: What was judged.
        decision: What was declared.
    """
    said: dict[str, None] = {}
    for one in comparisons:
        where = words(one.subset)
        if is_about_earlier(one.subset) and one.rule == "point_within" and not one.is_guard:
            counted = "1 patient is" if one.patients == 1 else f"{one.patients} patients are"
            said[
                f"Of {where}, {counted} too few to show what is still forgotten: only the difference itself counts."
            ] = None
        elif len(one.pooled) > 1:
            fewest = decision.min_patients(one.subset)
            said[f"Of {where}, classes with fewer than {fewest} patients are judged together."] = None
    return tuple(said)


def small_classes(subset: str, decision: Decision, evidence: Evidence) -> tuple[str, ...]:
    """Return the classes that an earlier cohort has too few patients of, or none in this split: nothing is missing."""
    fewest, part = decision.min_patients(subset), _part(subset)
    if not any(classes for name, classes in evidence.subsets.items() if _part(name) == part):
        # Of a cohort without an image in any split nothing can be judged, and that blocks as everywhere else.
        return ()
    return tuple(name for name in evidence.class_names if _patients(evidence, subset, name) < fewest)


def pool(subset: str, measure: str, decision: Decision, evidence: Evidence) -> Iterator[Comparison]:
    """Yield the comparison of the small classes of an earlier cohort together, if it has any that the measure is of."""
    present = [name for name in evidence.class_names if evidence.of(subset, name) is not None]
    small = [name for name in small_classes(subset, decision, evidence) if name in present]
    labels = [name for name in small if measure != "false_negatives" or name in decision.diseases]
    if not labels:
        return
    like = Comparison(
        subset=subset,
        label=ALL if labels == present else " + ".join(labels),
        predicted=None,
        measure=measure,
        margin=decision.margin(subset, measure),
        sides=Endpoint(subset=subset, measure=measure).sides,
        min_patients=decision.min_patients(subset),
        pooled=tuple(labels),
    )
    yield as_points(like, evidence)


def _part(subset: str) -> str:
    """Return the part of a subset, such as `earlier:0.2.0` of `earlier:0.2.0_train`."""
    return subset.rpartition("_")[0]


def _measures(subset: str, decision: Decision) -> tuple[str, ...]:
    """Return what small classes are judged by together: the mean probability always, and whatever was declared.

    A mean over classes is declared of all of them, and stays as it is.
    """
    declared = [one.measure for one in decision.endpoints if (one.subset, one.label) == (subset, ALL)]
    return tuple(dict.fromkeys(["mean_probability", *(one for one in declared if one != "macro_sensitivity")]))


def _patients(evidence: Evidence, subset: str, *labels: str) -> int:
    """Return how many patients there are of some classes together; a patient may be in more than one."""
    found = [means for name in labels if (means := evidence.of(subset, name)) is not None]
    return len({int(patient) for means in found for patient in means.patients})
