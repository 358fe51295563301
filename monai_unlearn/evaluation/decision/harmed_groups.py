"""Whether remain is worse for a group of patients, such as women or one device, though not for all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.evaluation.decision.compare_subsets import TWO
from monai_unlearn.evaluation.decision.endpoint import part_of, words
from monai_unlearn.evaluation.decision.estimates import LEVEL, compare
from monai_unlearn.evaluation.decision.sentences import NAMED, points

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from monai_unlearn.evaluation.decision.decision import Decision
    from monai_unlearn.evaluation.decision.evidence import ClassMeans, Evidence

    Array = npt.NDArray[np.float64]


def harmed_groups(decision: Decision, evidence: Evidence) -> list[str]:
    """Return a sentence for each group of remain that is shown to be classified worse by more than the margin.

    Beside retrained networks, worse than these; else worse than by the original. Each class of a group counts, and all
    of its images. There are many groups, and one of them always looks bad: so the error of 5 % is divided by their
    number (Bonferroni), and a group is named only where its whole interval lies beyond the margin.

    Args:
        decision: Its subsets of remain, and the margin of sensitivity there.
        evidence: The means of all networks, by group too.
    """
    others = evidence.references or (evidence.original,)
    rows = evidence.rows(evidence.revised, *others)
    asked = [
        (subset, f"{words(subset)}, {group}{label}", values[rows])
        for (subset, group), classes in evidence.groups.items()
        if subset in decision.subsets and part_of(subset) == "remain"
        for label, values in _measured(classes, evidence)
        if values.shape[1] >= TWO and np.isfinite(values[rows]).all()
    ]
    found = []
    for subset, where, values in asked:
        one = compare(values[0][:, None], values[1:, :, None], fixed=not evidence.references)
        margin = decision.margin(subset, "sensitivity")
        if one.limits(LEVEL / len(asked))[1][0] < -margin:
            found.append((float(one.difference[0]), where, values.shape[1], margin))
    by = "retrained networks" if evidence.references else "the original"
    return [
        f"{where}: the share classified correctly differs by {points(change)} points from that of {by} (margin "
        f"{100 * margin:g}, {count} patients)."
        for change, where, count, margin in sorted(found)[:NAMED]
    ]


def _measured(classes: Mapping[str, ClassMeans], evidence: Evidence) -> Iterator[tuple[str, Array]]:
    """Yield the share classified correctly, of each network and patient, of each class and of all, with its name."""
    own = {name: means.hard[:, :, evidence.class_names.index(name)] for name, means in classes.items()}
    for name, values in own.items():
        yield f", class {name}", values
    if len(own) > 1:
        yield "", np.concatenate(list(own.values()), axis=1)
