"""Which images a file of measures is about: found by the UIDs that it refers to, or by its name."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from monai_unlearn.index.listing import SUFFIX
from monai_unlearn.index.usable import usable_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from monai_unlearn.index.listing import Listed
    from monai_unlearn.index.measures.reading import Target

_OF_A_MASK = re.compile(r"_(?:dseg|seg|mask|label)$")
_OF_A_UID = re.compile(r"\.\d+$")


class Images:
    """The usable images of an index, to be found by UID or file name.

    Args:
        frame: The rows of the index, with `relative`.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._by = {name: _positions(frame, name) for name in ("image_id", "series", "study")}
        self._folders: dict[int, tuple[str, ...]] = {}
        self._stems: dict[str, list[int]] = defaultdict(list)
        usable = usable_mask(frame).to_numpy()
        for position, relative in enumerate(frame["relative"]):
            if usable[position]:
                path = PurePosixPath(relative)
                self._folders[position] = path.parent.parts
                self._stems[stem(path.name)].append(position)

    def of(self, target: Target | None, mask: Listed) -> set[int]:
        """Return the positions of the rows that a reading is about.

        Args:
            target: What it refers to; null to go by the name of its file.
            mask: The file.
        """
        if target is None:
            found = self._named(PurePosixPath(mask.relative))
            return set() if found is None else {found}
        wanted = (("image_id", target.images), ("series", target.series), ("study", target.studies))
        return {row for name, uids in wanted for uid in uids for row in self._by[name].get(uid, ())}

    def _named(self, mask: PurePosixPath) -> int | None:
        """Return the row of the image with the stem of the mask, `_seg`, `_mask` and the like removed if need be.

        Of several, it is the one that shares the most folders with the mask, in order; null if that is not unique.
        """
        name = stem(mask.name)
        rows = self._stems.get(name) or self._stems.get(_OF_A_MASK.sub("", name)) or []
        common = sorted(((_in_common(self._folders[row], mask.parent.parts), row) for row in rows), reverse=True)
        if not common or (len(common) > 1 and common[0][0] == common[1][0]):
            return None
        return common[0][1]


def stem(name: str) -> str:
    """Return a file name without its suffix; the last number of a UID is not a suffix."""
    return name if _OF_A_UID.search(name) else SUFFIX.sub("", name)


def _positions(frame: pd.DataFrame, name: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    usable = (usable_mask(frame) & frame[name].notna()).to_numpy()
    for position, value in enumerate(frame[name]):
        if usable[position]:
            found[str(value)].append(position)
    return found


def _in_common(left: Sequence[str], right: Iterable[str]) -> int:
    """Return the length of the longest common subsequence of the folders of two paths."""
    lengths = [0] * (len(left) + 1)
    for folder in right:
        before = lengths[:]
        for position, other in enumerate(left, start=1):
            lengths[position] = (
                before[position - 1] + 1 if folder == other else max(before[position], lengths[position - 1])
            )
    return lengths[-1]
