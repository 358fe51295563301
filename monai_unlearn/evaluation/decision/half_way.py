"""Whether a revision went at least half of the way from the original to what it should give, class by class.

Where a margin is nearly as wide as the way, a network that hardly left the original lies inside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.sentences import NAMED, measured, place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monai_unlearn.evaluation.decision.comparison import Comparison

HALF = 0.5
"""At least this share of the way must be gone."""
_MEASURE = "mean_probability"


def behind(before: Iterable[Comparison], after: Iterable[Comparison], by: str) -> list[str]:
    """Return a sentence for each mean probability with less than half of the original's gap closed.

    Asked of those alone whose gap under the original exceeds the margin: a smaller one is as good as none.

    Args:
        before: The original's comparisons.
        after: The revised network's, with the same targets.
        by: What the target is, in words.
    """
    gaps = {_key(one): one for one in before if one.value is not None and one.measure == _MEASURE}
    found = []
    for one in after:
        was = gaps.get(_key(one))
        if was is None or one.value is None or not abs(was.difference) > one.margin:
            continue
        gone = 1 - one.difference / was.difference
        if gone < HALF:
            found.append((gone, _sentence(one, abs(was.difference), gone, by)))
    return [said for _, said in sorted(found)[:NAMED]]


def _key(one: Comparison) -> tuple[str, str, str, str | None]:
    return one.subset, one.label, one.measure, one.predicted


def _sentence(one: Comparison, gap: float, gone: float, by: str) -> str:
    return (
        f"{place(one)}: of {100 * gap:.1f} points between the original and {by} in the {measured(one)}, "
        f"{100 * gone:.0f} % are gone, and half must be."
    )
