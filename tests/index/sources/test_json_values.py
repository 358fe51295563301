"""Values of tag paths in DICOM JSON."""

from __future__ import annotations

import pytest
from dicom_json import item

from monai_unlearn.index.sources.json_values import decoded, value_of
from monai_unlearn.index.tag_path import TagPath
from monai_unlearn.index.values import UNDECODED


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ({"vr": "LO", "Value": ["A"]}, "A"),
        ({"vr": "CS", "Value": ["A", None, "B"]}, ["A", "", "B"]),
        ({"vr": "DS", "Value": [1.5]}, 1.5),
        ({"vr": "PN", "Value": [{"Alphabetic": "A^B", "Ideographic": "C"}]}, "A^B=C"),
        ({"vr": "PN", "Value": [{"Phonetic": "C"}]}, "==C"),
        ({"vr": "UN", "InlineBinary": "YWJj"}, b"abc"),
        ({"vr": "UN", "InlineBinary": "?"}, UNDECODED),
        ({"vr": "OW", "BulkDataURI": "https://x"}, UNDECODED),
        ({"vr": "LT", "Value": ["x" * 20_000]}, UNDECODED),
        ({"vr": "LO"}, None),
        ({"vr": "LO", "Value": []}, None),
        ({"vr": "LO", "Value": 3}, None),
        ({"vr": "SQ", "Value": [{}]}, None),
        ("A", None),
        (None, None),
    ],
)
def test_decoded(element, value):
    assert decoded(element) == value


NESTED = {
    **item(StudyDate="20180605"),
    "00082218": {"vr": "SQ", "Value": [item(CodeMeaning="Eye"), item(CodeMeaning="Retina"), item(CodeMeaning="Eye")]},
    "00190011": {"vr": "LO", "Value": ["GEMS_ACQU_01"]},
    "00191110": {"vr": "DS", "Value": [4.5]},
    "00290010": {"vr": "LO", "Value": ["OTHER"]},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("StudyDate", "20180605"),
        ("AnatomicRegionSequence.CodeMeaning", ["Eye", "Retina"]),
        ("AnatomicRegionSequence.CodeValue", None),
        ("CodeMeaning", None),
        ('(0019,"GEMS_ACQU_01",10)', 4.5),
        ('(0019,"GEMS_ACQU_01",11)', None),
        ('(0029,"GEMS_ACQU_01",10)', None),
        ("TransferSyntaxUID", None),
    ],
)
def test_paths(path, value):
    assert value_of(NESTED, TagPath.parse(path)) == value


def test_file_meta_where_the_server_says_the_same_elsewhere():
    told = {"00083002": {"vr": "UI", "Value": ["1.2.840.10008.1.2.1"]}}
    assert value_of(told, TagPath.parse("TransferSyntaxUID")) == "1.2.840.10008.1.2.1"


def grouped(tag, *items):
    return {tag: {"vr": "SQ", "Value": list(items)}}


def test_functional_groups_are_searched_where_the_top_level_has_nothing():
    thick = [grouped("00289110", item(SliceThickness=number)) for number in (1.5, 2, 1.5)]
    path = TagPath.parse("SliceThickness")
    assert value_of(grouped("52009230", *thick), path) == ["1.5", "2"]
    assert value_of({**grouped("52009230", *thick), **item(SliceThickness=9)}, path) == 9
    both = {**grouped("52009229", thick[0]), **grouped("52009230", thick[1])}
    assert value_of(both, path) == 1.5
    direct = grouped("52009229", item(FrameLaterality="L"))
    assert value_of(direct, TagPath.parse("FrameLaterality")) == "L"
    whole = TagPath.parse("SharedFunctionalGroupsSequence.PixelMeasuresSequence.SliceThickness")
    assert value_of(grouped("52009229", thick[0]), whole) == 1.5
    # In a group, these name what an image was derived from.
    assert value_of(grouped("52009229", item(SOPInstanceUID="1.2")), TagPath.parse("SOPInstanceUID")) is None
