from __future__ import annotations

import pytest
from PIL import Image

from monai_unlearn.index.readers import read_file


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "bmp"])
def test_image_is_recognised_by_its_content(suffix, tmp_path, make_image):
    path = make_image(tmp_path / f"a.{suffix}")
    assert read_file(path) == {"format": "image"}
    assert read_file(path.rename(tmp_path / "no_suffix")) == {"format": "image"}


def test_other_formats_are_not_images(tmp_path, make_image):
    assert read_file(make_image(tmp_path / "a.gif"))["fault"] == "not_an_image"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.jpg", {}),
        ("a.jpg", {"progressive": True}),
        ("a.png", {}),
        ("a.bmp", {}),
        ("a.tif", {}),
        ("a.tif", {"compression": "tiff_lzw"}),
    ],
)
def test_image_cut_anywhere_is_never_good(name, options, tmp_path, make_image):
    path = make_image(tmp_path / name, size=24, **options)
    content = path.read_bytes()
    assert read_file(path) == {"format": "image"}
    size = len(content)
    # Pillow writes what follows a TIFF's pixels, its directory, in front or behind: both are cut here.
    for offset in sorted({size * percent // 100 for percent in range(1, 100)} | {size - 1}):
        path.write_bytes(content[:offset])
        assert read_file(path)["fault"] in {"truncated", "not_an_image", "unreadable"}, offset


def test_bytes_after_a_jpeg_are_ignored(tmp_path, make_image):
    path = make_image(tmp_path / "a.jpg")
    path.write_bytes(path.read_bytes() + b"appended by a camera" * 10)
    assert read_file(path) == {"format": "image"}


def test_run_length_encoded_bmp_is_accepted(tmp_path):
    header = b"BM" + (14 + 40 + 1024 + 4).to_bytes(4, "little") + bytes(4) + (14 + 40 + 1024).to_bytes(4, "little")
    info = b"".join(
        number.to_bytes(width, "little") for number, width in [(40, 4), (4, 4), (1, 4), (1, 2), (8, 2), (1, 4)]
    )
    path = tmp_path / "a.bmp"
    path.write_bytes(header + info + bytes(20) + bytes(1024) + b"\x04\x07\x00\x01")
    with Image.open(path) as image:
        assert image.tile[0][0] == "bmp_rle"
    assert read_file(path) == {"format": "image"}


def test_image_of_absurd_size_is_a_fault_without_a_warning(tmp_path):
    path = tmp_path / "a.bmp"
    info = b"".join(number.to_bytes(4, "little") for number in (40, 100_000, 100_000, 24 << 16 | 1, 0))
    path.write_bytes(b"BM" + bytes(8) + (54).to_bytes(4, "little") + info + bytes(20))
    assert read_file(path) == {"format": "image", "fault": "unreadable"}
