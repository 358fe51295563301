"""Small-cell suppression of connected counts: which counts to hide so that no small one can be worked out.

Counts from 1 to N-1 are shown as `<N` (primary suppression); zeros and all other counts are shown. Readers who know
which counts add up could work some of the suppressed ones out. So further counts are hidden, first those that are
needed least, then the smallest beside a disclosed one, until none can be worked out (complementary suppression;
Hundepool et al., Statistical Disclosure Control, 2012, chapter 4). An attack decides: given every relation between
the counts, and what `<N` and `hidden` mean, is there a second solution in whole numbers? An integer programme
answers this exactly.

The search ends: once every count except the zeros is hidden, doubling all of them is a second solution, because no
relation contains a constant.

Not protected against: knowledge beyond the document and its relations, such as a second document of the same
index, or replaying the choice of what was hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HIDDEN = "hidden"
# Below 3, the range from 1 to N-1 holds one number only: `<2` would disclose it.
LEAST = 3

Key = tuple["str | int", ...]
Form = Mapping[Key, int]
"""A sum of counts, each with its whole-number weight."""


@dataclass(frozen=True)
class Relation:
    """A known relation between counts: a weighted sum of them is 0, or at least 0.

    Attributes:
        form: The sum.
        exact: Whether the sum is 0; otherwise it is at least 0.
    """

    form: Form
    exact: bool

    def holds(self, counts: Mapping[Key, int]) -> bool:
        """Return whether the counts satisfy the relation."""
        value = _value(self.form, counts)
        return value == 0 if self.exact else value >= 0


def total(whole: Key, parts: Iterable[Key]) -> Relation:
    """Return the relation that parts add up to a whole."""
    return Relation({whole: 1, **dict.fromkeys(parts, -1)}, exact=True)


def at_most(small: Key, *large: Key) -> Relation:
    """Return the relation that a count is at most the sum of others."""
    return Relation({**dict.fromkeys(large, 1), small: -1}, exact=False)


def protect(
    counts: Mapping[Key, int],
    relations: Sequence[Relation],
    *,
    below: int,
    differences: Sequence[tuple[Key, Key]] = (),
    needed: Mapping[Key, int] | None = None,
) -> dict[Key, int | str]:
    """Return each count as it may be shown: itself, `<N`, or `hidden` (1 or more).

    Args:
        counts: Counts of people or of their images, at least 0.
        relations: What everybody knows about them; each must hold.
        below: N, at least `LEAST`.
        differences: Pairs of counts that readers can subtract: a difference from 1 to N-1 is protected as well.
        needed: How much the reader needs a count, 0 where it is not named: the less needed of two is hidden.
    """
    needed = needed or {}
    attack = _Attack(counts, relations, below)
    while (target := attack.disclosed(differences)) is not None:
        attack.hide(_next(target, attack, needed))
    return attack.shown


class _Attack:
    """What a reader can conclude from the counts as they are shown so far."""

    def __init__(self, counts: Mapping[Key, int], relations: Sequence[Relation], below: int) -> None:
        if not all(relation.holds(counts) for relation in relations):
            raise AssertionError("a relation between the counts does not hold")
        self.counts = counts
        self.relations = relations
        self.below = below
        self.shown: dict[Key, int | str] = {
            key: f"<{below}" if 0 < count < below else count for key, count in counts.items()
        }
        self._place = {key: place for place, key in enumerate(counts)}
        self._truth = np.array(list(counts.values()), dtype=np.int64)
        self._matrix = np.zeros((len(relations), len(counts)), dtype=np.int64)
        for row, relation in enumerate(relations):
            self._matrix[row] = self._vector(relation.form)
        self._exact = np.array([relation.exact for relation in relations], dtype=bool)
        small = (self._truth > 0) & (self._truth < below)
        self._low = np.where(small, 1, self._truth)
        self._high = np.where(small, below - 1, self._truth)
        # Hiding only adds solutions, so a solution that was found stays one.
        self._others: list[npt.NDArray[np.int64]] = []
        self._safe: set[tuple[tuple[Key, int], ...]] = set()

    def hide(self, key: Key) -> None:
        """Hide a count. Readers know that one which was not small is at least N: else it would be shown as `<N`."""
        place = self._place[key]
        self.shown[key] = HIDDEN
        self._low[place] = min(self._low[place], self.below) if self._truth[place] >= self.below else 1
        self._high[place] = 2 * self._truth.max()

    def disclosed(self, differences: Sequence[tuple[Key, Key]]) -> Form | None:
        """Return a suppressed count, or a small difference, that has only one solution."""
        for form in self._targets(differences):
            name = tuple(form.items())
            if name not in self._safe:
                if self._is_determined(form):
                    return form
                self._safe.add(name)
        return None

    def _targets(self, differences: Sequence[tuple[Key, Key]]) -> Iterable[Form]:
        yield from ({key: 1} for key, shown in self.shown.items() if isinstance(shown, str))
        for pair in differences:
            form = dict(zip(pair, (1, -1), strict=True))
            if 0 < abs(_value(form, self.counts)) < self.below:
                yield form

    def _is_determined(self, form: Form) -> bool:
        vector = self._vector(form)
        value = vector @ self._truth
        if any(vector @ other != value for other in self._others):
            return False
        for direction in (vector, -vector):
            other = self._solution(direction)
            if other is not None and vector @ other != value:
                self._others.append(other)
                return False
        return True

    def _solution(self, least: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
        from scipy.optimize import Bounds, LinearConstraint, milp

        most = np.where(self._exact, 0, np.inf)
        constraints = [LinearConstraint(self._matrix, 0, most)] if self.relations else []
        found = milp(least, integrality=1, bounds=Bounds(self._low, self._high), constraints=constraints)
        if found.x is None:
            return None
        solution: npt.NDArray[np.int64] = np.rint(found.x).astype(np.int64)
        sums = self._matrix @ solution
        return solution if (sums[self._exact] == 0).all() and (sums >= 0).all() else None

    def _vector(self, form: Form) -> npt.NDArray[np.int64]:
        vector = np.zeros(len(self.counts), dtype=np.int64)
        for key, weight in form.items():
            vector[self._place[key]] = weight
        return vector


def _next(target: Form, attack: _Attack, needed: Mapping[Key, int]) -> Key:
    """Choose what to hide next: a count that shares a relation with the target, otherwise any count.

    If none is left, the largest of those shown as `<N`: small counts with a small total give each other away.
    """
    beside = {key for relation in attack.relations if relation.form.keys() & target.keys() for key in relation.form}
    plain = {key: count for key, count in attack.shown.items() if isinstance(count, int) and count}
    for candidates in ([key for key in plain if key in beside or key in target], list(plain)):
        if candidates:
            return min(candidates, key=lambda key: (needed.get(key, 0), attack.counts[key]))
    small = [key for key, shown in attack.shown.items() if shown not in {0, HIDDEN}]
    if not small:
        raise AssertionError("once every count is hidden, doubling all of them is a second solution")
    return max(small, key=attack.counts.__getitem__)


def _value(form: Form, counts: Mapping[Key, int]) -> int:
    return sum(weight * counts[key] for key, weight in form.items())
