from __future__ import annotations

import tracemalloc
from importlib.util import find_spec

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from same_rows import assert_same, is_fast

from monai_unlearn.index.fast_readers import Reader
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.dicom_tags import read_tags

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
FAST = [Reader.PLAIN, *([Reader.GDCM] if find_spec("gdcm") else [])]


def item(**values):
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def measured(thickness, **more):
    return item(PixelMeasuresSequence=[item(SliceThickness=thickness)], **more)


def sided(*sides):
    return item(FrameAnatomySequence=[item(FrameLaterality=side) for side in sides])


@pytest.fixture(params=[False, True], ids=["defined", "undefined"])
def write(request, tmp_path, dataset):
    """Write an image with functional groups, its sequences of defined or undefined length."""

    def to(shared=None, frames=(), name="a", **tags):
        made = dataset(3, **tags)
        if shared is not None:
            made.SharedFunctionalGroupsSequence = [shared]
        if frames:
            made.PerFrameFunctionalGroupsSequence = list(frames)
        for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            if keyword in made:
                made[keyword].is_undefined_length = request.param
                for group in made[keyword].value:
                    group.is_undefined_length_sequence_item = request.param
        path = tmp_path / name
        made.save_as(path, enforce_file_format=True)
        return path

    return to


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_shared_groups_hold_what_the_top_level_lacks(write, syntax):
    path = write(measured("1.5", FrameAnatomySequence=sided("L").FrameAnatomySequence), syntax=syntax)
    row = read_file(path)
    assert (row["SliceThickness"], row["FrameLaterality"], row["laterality"]) == (1.5, "L", "L")
    assert (row.get("fault"), row["PatientID"]) == (None, "P3")


def test_top_level_counts_before_groups(write):
    assert read_file(write(measured("1.5"), SliceThickness="3"))["SliceThickness"] == 3.0
    assert read_file(write(measured("1.5"), SliceThickness=""))["SliceThickness"] == 1.5


@pytest.mark.parametrize(
    ("frames", "thickness", "fault", "several"),
    [
        ([measured("2"), measured("2.0")], 2.0, None, None),
        ([measured("2"), Dataset()], 2.0, None, None),
        ([measured("3"), measured("2"), measured("3")], None, "several_numbers", "SliceThickness=2.0/3.0"),
    ],
)
def test_frames_that_agree_are_one_value_and_others_are_listed(write, frames, thickness, fault, several):
    row = read_file(write(Dataset(), frames))
    assert (row["SliceThickness"], row.get("fault"), row["several_values"]) == (thickness, fault, several)


def test_frames_that_differ_are_several_values(write):
    row = read_file(write(None, [sided("R"), sided("L"), sided("R")]))
    assert (row["FrameLaterality"], row["laterality"], row["fault"]) == ("R\\L", None, "contradicting_laterality")


def test_names_in_groups_are_not_those_of_the_image(write):
    group = item(ReferencedImageSequence=[item(StudyInstanceUID="1.2.3", PatientID="P9")], PatientID="P8")
    row = read_file(write(group, StudyInstanceUID=None, PatientID=None))
    assert (row["StudyInstanceUID"], row["PatientID"]) == (None, None)


@pytest.mark.parametrize("reader", FAST)
@pytest.mark.parametrize("syntax", SYNTAXES[:2])
def test_readers_agree_on_groups(write, syntax, reader):
    paths = [
        write(measured("1.5"), [sided("R"), sided("R")], "a", syntax=syntax),
        write(None, [sided("R"), measured("2")], "b", syntax=syntax),
        write(Dataset(), name="c", syntax=syntax),
        write(Dataset(), [measured("3"), measured("2")], "d", syntax=syntax),
    ]
    assert_same(paths, reader)
    assert not any(is_fast(path, reader) for path in paths)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_requested_tags_are_found_in_groups(write, syntax):
    eye = item(AnatomicRegionSequence=[item(CodeMeaning="Eye")], FrameLaterality="R")
    shared = item(FrameAnatomySequence=[eye])
    frames = [item(MREchoSequence=[item(EffectiveEchoTime=time)]) for time in (10.0, 12.5, 10.0)]
    tags = [
        "AnatomicRegionSequence.CodeMeaning",
        "EffectiveEchoTime",
        "PerFrameFunctionalGroupsSequence.MREchoSequence.EffectiveEchoTime",
        "SharedFunctionalGroupsSequence.FrameAnatomySequence.FrameLaterality",
        "TransferSyntaxUID",
    ]
    assert read_tags(write(shared, frames, syntax=syntax), tags) == {
        "AnatomicRegionSequence.CodeMeaning": "Eye",
        "EffectiveEchoTime": "10\\12.5",
        "PerFrameFunctionalGroupsSequence.MREchoSequence.EffectiveEchoTime": "10\\12.5",
        "SharedFunctionalGroupsSequence.FrameAnatomySequence.FrameLaterality": "R",
        "TransferSyntaxUID": syntax,
    }


def test_file_that_ends_within_groups_is_cut_short(write, tmp_path):
    content = write(measured("1.5"), [sided("R")] * 5).read_bytes()
    begin = content.index(b"\x00\x52\x30\x92")
    for length in range(begin + 1, begin + 90, 11):
        (tmp_path / "cut").write_bytes(content[:length])
        assert read_file(tmp_path / "cut")["fault"] in {"truncated", "unreadable", "element_beyond_file"}
        assert_same([tmp_path / "cut"], Reader.PLAIN)


def test_thousands_of_frames_take_little_memory(write):
    frames = [measured("2", FrameAnatomySequence=sided("R").FrameAnatomySequence) for _ in range(3000)]
    path = write(Dataset(), frames)
    del frames
    read_file(path)
    tracemalloc.start()
    row = read_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (row["SliceThickness"], row["laterality"]) == (2.0, "R")
    assert peak < 4_000_000
