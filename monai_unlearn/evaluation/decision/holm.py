"""Which of many intervals lie wholly beyond their margins, with one error for all of them together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.estimates import LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.evaluation.decision.comparison import Comparison


def holm(comparisons: Sequence[Comparison], *, level: float = LEVEL) -> list[Comparison]:
    """Mark the comparisons whose Holm-adjusted interval is wholly beyond the margin.

    Holm 1979, Scandinavian Journal of Statistics 6:65: the k-th smallest of m errors may be level/(m − k + 1), as long
    as all smaller ones were. Only declared endpoints are of the family: guards block, they decide nothing.

    A difference that a single retrained network would show too is none, however well the mean of all is known: it is
    marked only if it is larger than `stray`. Where seeds agree this changes nothing; where they do not, it keeps one
    retrained network from being called different from the others.

    >>> from monai_unlearn.evaluation.decision.comparison import Comparison
    >>> named = {"subset": "forget_test", "label": "a", "predicted": None}
    >>> one = Comparison(**named, measure="sensitivity", margin=0.1, sides="both")
    >>> [found.is_beyond for found in holm([replace(one, value=0.5, target=0.2, p=p) for p in (0.03, 0.01, 0.2)])]
    [False, True, False]
    """
    family = sorted(
        (i for i, one in enumerate(comparisons) if not one.is_guard and one.value is not None),
        key=lambda i: comparisons[i].p,
    )
    beyond = set()
    for rank, i in enumerate(family):
        if comparisons[i].p > level / (len(family) - rank):
            break
        beyond.add(i)
    return [replace(one, is_beyond=i in beyond and one.gap > one.stray) for i, one in enumerate(comparisons)]
