from __future__ import annotations

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from monai_unlearn.index.tag_path import TagPath

PRIVATE = '(0019,"GEMS_ACQU_01",10)'


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("SliceThickness", "SliceThickness"),
        (" (0018,0050) ", "SliceThickness"),
        ("(0002,0016)", "SourceApplicationEntityTitle"),
        ("AnatomicRegionSequence.CodeMeaning", "AnatomicRegionSequence.CodeMeaning"),
        ("(0008,2218).(0008,0104)", "AnatomicRegionSequence.CodeMeaning"),
        (PRIVATE, PRIVATE),
        ('(0019, 10, "GEMS_ACQU_01")', PRIVATE),
        ("(0019,xx10,'GEMS_ACQU_01')", PRIVATE),
        ('(0019,1010,"GEMS_ACQU_01")', PRIVATE),
        ('(0019,"A.B, (C)",0a).CodeMeaning', '(0019,"A.B, (C)",0A).CodeMeaning'),
        (f"AnatomicRegionSequence.{PRIVATE}", f"AnatomicRegionSequence.{PRIVATE}"),
    ],
)
def test_one_tag_has_one_spelling(text, canonical):
    assert str(TagPath.parse(text)) == canonical
    assert TagPath.parse(canonical) == TagPath.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SliceThicknes", "DICOM has no such keyword. Did you mean 'SliceThickness'"),
        ("(0019,1010)", r'a private tag is named by its creator: \(0019,"CREATOR",10\)'),
        ('(0018,"X",10)', "group 0018 is not private: private groups are odd"),
        ("(0018,9999)", "DICOM has no such tag"),
        ("SliceThickness.CodeMeaning", "SliceThickness is not a sequence"),
        ("TransferSyntaxUID.CodeMeaning", "TransferSyntaxUID is not a sequence"),
        ("", "expected a DICOM keyword"),
        ("A..B", "expected a DICOM keyword"),
        ("SliceThickness.", "expected a DICOM keyword"),
        ('(0019,"A`B",10)', "expected a DICOM keyword"),
    ],
)
def test_what_is_no_tag_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        TagPath.parse(text)


def test_what_the_dictionaries_say():
    tags = ("SliceThickness", '(0019,"GEMS_ACQU_01",BB)', '(0019,"NOBODY",10)')
    assert [TagPath.parse(text).last.vr for text in tags] == ["DS", "DS", None]
    assert TagPath.parse("TransferSyntaxUID").is_meta
    assert TagPath.parse("TransferSyntaxUID").is_plain
    assert not TagPath.parse("AnatomicRegionSequence.CodeMeaning").is_plain
    assert not TagPath.parse(PRIVATE).is_plain


def test_private_tag_is_found_by_its_creator_in_any_block():
    step = TagPath.parse(PRIVATE).last
    dataset = Dataset()
    dataset.private_block(0x0019, "SOMEBODY", create=True).add_new(0x10, "DS", "1")
    assert step.tag_in(dataset) is None
    dataset.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x10, "DS", "2")
    assert step.tag_in(dataset) == 0x00191110
    assert {0x00190011, 0x00191110} <= set(step.in_file())


def test_malformed_creator_is_no_error():
    dataset = Dataset()
    malformed = {"vr": "\x00\x01", "length": 4, "value": b"\xff\xffAB", "value_tell": 0}
    encoding = {"is_implicit_vr": False, "is_little_endian": True}
    fields = dict(zip(RawDataElement._fields, (Tag(0x00190010), *malformed.values(), *encoding.values()), strict=False))
    dataset._dict[0x00190010] = RawDataElement(**fields)
    assert TagPath.parse(PRIVATE).last.tag_in(dataset) is None
