"""Works out suppressed counts by a small constraint solver, which knows nothing of how counts are suppressed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

Count = Hashable
Sum = tuple[Mapping[Count, int], bool]
Ranges = dict[Count, tuple[int, int]]

# A count that is always 1, so that sums can have a constant in them.
ONE = "(one)"


@dataclass(frozen=True)
class Attacker:
    """Knows how counts are shown, and sums of them that are 0 (True) or at least 0 (False).

    The truth shows it where to look first for another solution, and when it has found one.
    """

    truth: Mapping[Count, int]
    shown: Mapping[Count, int | str]
    sums: Sequence[Sum]

    def solved(self) -> list[Count]:
        """Return the suppressed counts that have one solution only."""
        return [key for key, shown in self.shown.items() if isinstance(shown, str) and self.solves({key: 1})]

    def solves(self, form: Mapping[Count, int]) -> bool:
        """Return whether a sum of counts has one value only."""
        value = sum(weight * self.truth[key] for key, weight in form.items())
        negative = {key: -weight for key, weight in form.items()}
        others = ({**form, ONE: -value - 1}, {**negative, ONE: value - 1})  # more than the value, less than it
        for budget in (100, 1_000, 10_000):
            found = [self._has_solution([*self.sums, (other, False)], budget) for other in others]
            if True in found:
                return False
            if None not in found:
                return True
        raise AssertionError("too hard to tell")

    def _has_solution(self, sums: Sequence[Sum], budget: int) -> bool | None:
        """Return whether there is a solution; None where that takes too long."""
        top = 2 * max(self.truth.values(), default=0) + 2
        ranges = {key: _range(shown, top) for key, shown in self.shown.items()}
        left = [budget]
        found = self._search({**ranges, ONE: (1, 1)}, sums, left)
        return found if found or left[0] > 0 else None

    def _search(self, ranges: Ranges, sums: Sequence[Sum], left: list[int]) -> bool:
        left[0] -= 1
        if left[0] <= 0 or not _narrow(ranges, sums):
            return False
        still_open = [key for key, (low, high) in ranges.items() if low < high]
        if not still_open:
            return True
        key = min(still_open, key=lambda key: ranges[key][1] - ranges[key][0])
        low, high = ranges[key]
        near = sorted(range(low, high + 1), key=lambda value: abs(value - self.truth[key]))
        return any(self._search({**ranges, key: (value, value)}, sums, left) for value in near)


def _narrow(ranges: Ranges, sums: Sequence[Sum]) -> bool:  # noqa: C901
    """Draw conclusions until there are none left; return whether the counts are still possible."""
    changed = True
    while changed:
        before = dict(ranges)
        for weights, exact in sums:
            for key, weight in weights.items():
                if not weight:
                    continue
                rest = [_times(ranges[other], by) for other, by in weights.items() if other != key]
                # weight * count is at least what makes the sum 0 with all else as large as it can be.
                bounds = [(-sum(high for _, high in rest), True)]
                if exact:
                    bounds.append((-sum(low for low, _ in rest), False))
                for bound, is_least in bounds:
                    low, high = ranges[key]
                    if is_least == (weight > 0):
                        low = max(low, -(-bound // weight))
                    else:
                        high = min(high, bound // weight)
                    if low > high:
                        return False
                    ranges[key] = (low, high)
        changed = ranges != before
    return True


def _range(shown: int | str, top: int) -> tuple[int, int]:
    if isinstance(shown, int):
        return shown, shown
    return (1, top) if shown == "hidden" else (1, int(shown.removeprefix("<")) - 1)


def _times(bounds: tuple[int, int], weight: int) -> tuple[int, int]:
    low, high = sorted((bounds[0] * weight, bounds[1] * weight))
    return low, high
