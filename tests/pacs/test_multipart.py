"""The parts of a multipart answer, as servers write them."""

from __future__ import annotations

import pytest

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.multipart import first_part, is_part, parts
from monai_unlearn.pacs.web import Answer

KIND = 'multipart/related; type="application/dicom"; boundary=xx'


def answer(content, kind=KIND):
    return Answer(200, {"Content-Type": kind}, content)


@pytest.mark.parametrize(
    "content",
    [
        b"--xx\r\nContent-Type: application/dicom\r\n\r\nA\r\n\r\n--xB\r\n--xx--",
        b"preamble\r\n--xx\r\nContent-Type: a\r\nContent-Length: 9\r\n\r\nA\r\n\r\n--xB\r\n--xx--\r\nepilogue",
        b"--xx\r\n\r\nA\r\n\r\n--xB\r\n--xx--\r\n",
    ],
)
def test_one_part_with_bytes_that_look_like_a_border(content):
    assert parts(answer(content)) == [b"A\r\n\r\n--xB"]
    assert is_part(answer(content)) is None
    assert first_part(answer(content)) == b"A\r\n\r\n--xB"


def test_several_parts_are_no_file():
    two = answer(b"--xx\r\nA: b\r\n\r\n1\r\n--xx\r\nA: b\r\n\r\n2\r\n--xx--")
    assert parts(two) == [b"1", b"2"]
    assert is_part(two) == "was answered with another number of files than one"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"--xx\r\nA: b\r\n\r\nhalf", KIND),
        (b"DICM", "application/dicom"),
        (b"--xx--", "multipart/related"),
        (b"--xx\r\nno end of headers\r\n--xx--", KIND),
    ],
)
def test_what_is_cut_short_is_no_file(content, kind):
    assert is_part(answer(content, kind)) == "was answered with a file that is cut short, or with no file"
    with pytest.raises(ArchiveError, match="expected a file"):
        first_part(answer(content, kind))
