from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

from monai_unlearn.index.readers.tag_values import MOST_VALUES, Distinct, spelled, value_of_path
from monai_unlearn.index.tag_path import TagPath
from monai_unlearn.index.values import UNDECODED


def item(**values):
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], None),
        (["Eye"], "Eye"),
        (["Eye", "Eye"], "Eye"),
        (["Eye", "", "Lens"], ["Eye", "Lens"]),
    ],
)
def test_several_items_behave_like_several_values(items, expected):
    dataset = item(AnatomicRegionSequence=[item(CodeMeaning=meaning) for meaning in items])
    assert value_of_path(dataset, TagPath.parse("AnatomicRegionSequence.CodeMeaning")) == expected


def test_path_leads_through_sequences_of_sequences():
    inner = [item(CodeMeaning="left"), item(CodeMeaning="upper")]
    dataset = item(AnatomicRegionSequence=[item(AnatomicRegionModifierSequence=inner), item(CodeMeaning="Eye")])
    path = TagPath.parse("AnatomicRegionSequence.AnatomicRegionModifierSequence.CodeMeaning")
    assert value_of_path(dataset, path) == ["left", "upper"]
    assert value_of_path(Dataset(), path) is None


def test_sequence_itself_has_no_value():
    dataset = item(AnatomicRegionSequence=[item(AnatomicRegionModifierSequence=[item(CodeMeaning="left")])])
    assert value_of_path(dataset, TagPath.parse("AnatomicRegionSequence.AnatomicRegionModifierSequence")) is None


def test_equal_numbers_are_one_value():
    found = Distinct()
    found.add([DSfloat("1.50"), 1.5, DSfloat("3")])
    assert found.merged() == ["1.5", "3"]
    assert [spelled(value) for value in (3.0, 0.1, 7, b"a ", 1e300)] == ["3", "0.1", "7", "a", "1e+300"]


def test_values_are_bounded():
    found = Distinct()
    found.add(range(MOST_VALUES + 1))
    assert found.merged() == UNDECODED
