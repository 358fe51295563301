"""How a tag is named: by its keyword, as a path through sequences, or as a private tag by its creator.

| spelling | what it names |
| --- | --- |
| `SliceThickness` | a keyword of the dictionary, file meta (group 0002) included |
| `(0008,1090)` | the same by its number |
| `AnatomicRegionSequence.CodeMeaning` | a keyword in every item of a sequence, to any depth |
| `(0019,"GEMS_ACQU_01",10)` | a private tag: group, creator, last two digits of the element |

Which block a creator reserves differs from file to file (DICOM PS3.5 section 7.8.1), so a private tag without its
creator names nothing. The spelling is that of The Cancer Imaging Archive; the last two parts may be swapped, and the
block written as `xx10` or `1010`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from pydicom.datadict import dictionary_VR, keyword_dict, keyword_for_tag, private_dictionary_VR
from pydicom.tag import BaseTag

from monai_unlearn.errors import did_you_mean

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_EXPECTED = (
    "expected a DICOM keyword, keywords joined by points (AnatomicRegionSequence.CodeMeaning), or a private tag by its "
    'creator ((0019,"GEMS_ACQU_01",10)).'
)
_META_GROUP = 0x0002
_BLOCKS = range(0x10, 0x100)
_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_NUMBER = re.compile(r"\(([0-9A-Fa-f]{4}),\s*([0-9A-Fa-f]{4})\)")
_CREATOR = r"""(?:"([^"`\\\x00-\x1f\x7f]+)"|'([^'"`\\\x00-\x1f\x7f]+)')"""
_ELEMENT = r"(?:[xX]{2}|[0-9A-Fa-f]{2})?([0-9A-Fa-f]{2})"
_CREATOR_FIRST = re.compile(rf"\(([0-9A-Fa-f]{{4}}),\s*{_CREATOR},\s*{_ELEMENT}\)")
_CREATOR_LAST = re.compile(rf"\(([0-9A-Fa-f]{{4}}),\s*{_ELEMENT},\s*{_CREATOR}\)")
# One step of a path: brackets with quoted text in them, or anything up to the next point.
_STEP = re.compile(r"""\((?:"[^"]*"|'[^']*'|[^"')])*\)|[^.]+""")


@dataclass(frozen=True)
class Step:
    """One tag of a path.

    Attributes:
        tag: Its number; of a private tag the group and the last two digits of the element.
        creator: The creator of a private tag; null for a tag of the dictionary.
    """

    tag: int
    creator: str | None = None

    def __str__(self) -> str:
        if self.creator is None:
            return str(keyword_for_tag(self.tag))
        return f'({self.tag >> 16:04X},"{self.creator}",{self.tag & 0xFF:02X})'

    @property
    def vr(self) -> str | None:
        """The value representation, the first where the dictionary has several; null if no dictionary has the tag."""
        if self.creator is None:
            return str(dictionary_VR(self.tag)).partition(" ")[0]
        try:
            return str(private_dictionary_VR(self.tag | 0x1000, self.creator)).partition(" ")[0]
        except KeyError:
            return None

    def in_file(self) -> list[int]:
        """Return the numbers that the tag may have in a file; of a private tag, those of its creator too."""
        if self.creator is None:
            return [self.tag]
        group, element = self.tag & 0xFFFF0000, self.tag & 0xFF
        return [*(group | block for block in _BLOCKS), *(group | block << 8 | element for block in _BLOCKS)]

    def tag_in(self, dataset: Dataset) -> BaseTag | None:
        """Return the number of the tag in a dataset; null if the dataset lacks it."""
        tags = [self.tag] if self.creator is None else self._in_blocks(dataset)
        return next((BaseTag(tag) for tag in tags if tag in dataset), None)

    def _in_blocks(self, dataset: Dataset) -> list[int]:
        """Return the number that the tag has in each block that its creator reserved."""
        group, element = self.tag & 0xFFFF0000, self.tag & 0xFF
        reserved = (block for block in _BLOCKS if group | block in dataset)
        return [group | block << 8 | element for block in reserved if _raw_text(dataset, group | block) == self.creator]


@dataclass(frozen=True)
class TagPath:
    """A tag, and the sequences that lead to it.

    >>> str(TagPath.parse("AnatomicRegionSequence.CodeMeaning"))
    'AnatomicRegionSequence.CodeMeaning'
    >>> str(TagPath.parse("(0019,xx10,'GEMS_ACQU_01')"))
    '(0019,"GEMS_ACQU_01",10)'
    >>> str(TagPath.parse("(0018,0050)"))
    'SliceThickness'

    Attributes:
        steps: The tags from the top level of a file to the one that is meant.
    """

    steps: tuple[Step, ...]

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, text: str) -> TagPath:
        """Parse a path.

        Raises:
            ValueError: It is not a path; the message says what was expected.
        """
        spelled = _STEP.findall(text.strip())
        if not spelled or ".".join(spelled) != text.strip():
            raise ValueError(_EXPECTED)
        *sequences, last = (_step(step.strip()) for step in spelled)
        for sequence in sequences:
            if sequence.vr not in (None, "SQ"):
                raise ValueError(f"{sequence} is not a sequence, so nothing is below it.")
            if sequence.tag >> 16 == _META_GROUP:
                raise ValueError("file meta has no sequences.")
        return cls((*sequences, last))

    def __str__(self) -> str:
        return ".".join(map(str, self.steps))

    @property
    def last(self) -> Step:
        """The tag that is meant."""
        return self.steps[-1]

    @cached_property
    def is_meta(self) -> bool:
        """Whether it is in the File Meta Information (DICOM PS3.10 section 7.1)."""
        return self.steps[0].tag >> 16 == _META_GROUP

    @cached_property
    def is_plain(self) -> bool:
        """Whether it is one tag of the dictionary at the top level, or in file meta."""
        return len(self.steps) == 1 and self.last.creator is None

    @cached_property
    def roots(self) -> tuple[int, ...]:
        """The numbers that its first tag may have at the top level of a file."""
        return tuple(self.steps[0].in_file())


def _raw_text(dataset: Dataset, tag: int) -> str:
    """Return the text of an element from its bytes: a malformed one is no error."""
    element = dataset.get_item(tag, keep_deferred=True)
    value = None if element is None else element.value
    return (value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)).strip(" \0")


def _step(text: str) -> Step:
    if _KEYWORD.fullmatch(text):
        if text not in keyword_dict:
            raise ValueError(f"DICOM has no such keyword.{did_you_mean(text, keyword_dict)}")
        return Step(keyword_dict[text])
    if match := _NUMBER.fullmatch(text):
        return _numbered(*(int(digits, 16) for digits in match.groups()))
    if match := _CREATOR_FIRST.fullmatch(text):
        group, double, single, element = match.groups()
    elif match := _CREATOR_LAST.fullmatch(text):
        group, element, double, single = match.groups()
    else:
        raise ValueError(_EXPECTED)
    if int(group, 16) % 2 == 0:
        raise ValueError(f"group {group} is not private: private groups are odd.")
    return Step(int(group, 16) << 16 | int(element, 16), (double or single).strip())


def _numbered(group: int, element: int) -> Step:
    if group % 2:
        raise ValueError(f'a private tag is named by its creator: ({group:04X},"CREATOR",{element & 0xFF:02X}).')
    if not keyword_for_tag(group << 16 | element):
        raise ValueError("DICOM has no such tag.")
    return Step(group << 16 | element)
