from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import Image

from monai_unlearn.errors import DataError
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.image_options import ImageOptions
from monai_unlearn.index.readers.image_pixels import image_pixels
from monai_unlearn.index.readers.row import FaultyFileError

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = RGB[..., 0]
# How each Exif orientation stores an image that is upright: Exif 2.32, table of orientation, by plain indexing.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[:, ::-1],
}


def save(path, image, **options):
    (image if isinstance(image, Image.Image) else Image.fromarray(np.ascontiguousarray(image))).save(path, **options)
    return path


def tiff(path, values, *, sample_format=1, photometric=1, big=False, bits=None, extra=b""):
    """Write an uncompressed grey TIFF by hand, of any type."""
    order, mark = (">", b"MM") if big else ("<", b"II")
    data = np.ascontiguousarray(values.astype(values.dtype.newbyteorder(order))).tobytes() + extra
    height, width = values.shape
    bits = bits or 8 * values.dtype.itemsize
    entries = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1)]
    entries += [(278, height), (279, len(data)), (339, sample_format)]
    integer = {"<": "little", ">": "big"}[order]

    def number(value, size):
        return int(value).to_bytes(size, integer)

    directory = number(len(entries), 2)
    directory += b"".join(number(tag, 2) + number(4, 2) + number(1, 4) + number(value, 4) for tag, value in entries)
    path.write_bytes(mark + number(42, 2) + number(8 + len(data), 4) + data + directory + bytes(4))
    return path


def refusal(path, **options):
    assert read_file(path).get("fault") is None  # it is indexed as an image
    with pytest.raises(FaultyFileError, match=r"\w") as found:
        image_pixels(path, options=ImageOptions(**options))
    return found.value.fault


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "jpg"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_images_of_8_bits_are_what_pillow_makes_of_them(tmp_path, suffix, channels, mode):
    image = Image.fromarray(RGB).convert(mode)
    path = save(tmp_path / f"a.{suffix}", image.convert("RGB") if (suffix, mode) == ("jpg", "P") else image)
    with Image.open(path) as opened:
        expected = np.asarray(opened.convert({1: "L", 3: "RGB"}[channels]), np.float32) / np.float32(255)
    np.testing.assert_array_equal(image_pixels(path, channels=channels), expected)


def test_cmyk_and_progressive_jpeg_are_read(tmp_path):
    colour = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    np.testing.assert_allclose(image_pixels(save(tmp_path / "a.jpg", colour))[4, 4], [0, 1, 1], atol=0.02)
    smooth = np.tile(np.arange(0, 160, 10, dtype=np.uint8), (16, 1))
    plain = image_pixels(save(tmp_path / "b.jpg", smooth, quality=95))
    progressive = image_pixels(save(tmp_path / "c.jpg", smooth, quality=95, progressive=True))
    np.testing.assert_array_equal(plain, progressive)
    np.testing.assert_allclose(plain[..., 0], smooth / 255, atol=0.02)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_grey_of_16_bits_is_scaled_by_its_type(tmp_path, suffix):
    values = RNG.integers(0, 2**16, (5, 7), dtype=np.uint16)
    path = save(tmp_path / f"a.{suffix}", values)
    np.testing.assert_allclose(image_pixels(path, channels=1), values / 65535, atol=1e-6)
    low, high = 1000, 9000
    windowed = image_pixels(path, options=ImageOptions(value_range=(low, high)))
    np.testing.assert_allclose(windowed, np.clip((values.astype(float) - low) / (high - low), 0, 1), atol=1e-6)


@pytest.mark.parametrize("big", [False, True])
def test_tiff_of_16_bits_may_be_signed_or_white_at_zero(tmp_path, big):
    signed = np.array([[-32768, 0, 32767]], np.int16)
    found = image_pixels(tiff(tmp_path / "a.tif", signed, sample_format=2, big=big))
    np.testing.assert_allclose(found, [[0, 32768 / 65535, 1]], atol=1e-6)
    if not big:  # Pillow opens no such file
        white = np.array([[0, 1000, 65535]], np.uint16)
        found = image_pixels(tiff(tmp_path / "b.tif", white, photometric=0))
        np.testing.assert_allclose(found, [[1, 1 - 1000 / 65535, 0]], atol=1e-6)


def test_tiff_of_12_bits_is_scaled_by_12_bits(tmp_path):
    packed = np.frombuffer(bytes([0x00, 0x0F, 0xFF, 0x80, 0x00, 0x00]), np.uint8)  # 0, 4095, 2048, 0
    path = tiff(tmp_path / "a.tif", np.zeros((1, 4), np.uint8), bits=12, extra=packed.tobytes())
    content = path.read_bytes().replace(bytes(4) + packed.tobytes(), packed.tobytes() + bytes(4))
    path.write_bytes(content)
    np.testing.assert_allclose(image_pixels(path), [[0, 1, 2048 / 4095, 0]], atol=1e-6)


@pytest.mark.parametrize(("dtype", "sample_format"), [(np.uint32, 1), (np.int32, 2), (np.float32, 3)])
@pytest.mark.parametrize("big", [False, True])
def test_values_of_no_stated_range_need_one(tmp_path, dtype, sample_format, big):
    values = np.array([[0, 50, 300]], dtype)
    path = tiff(tmp_path / "a.tif", values, sample_format=sample_format, big=big)
    if big and dtype == np.uint32:  # Pillow opens no such file
        assert read_file(path)["fault"] == "not_an_image"
        return
    assert refusal(path) is Fault.UNKNOWN_VALUE_RANGE
    found = image_pixels(path, options=ImageOptions(value_range=(-100, 200)))
    np.testing.assert_allclose(found, [[1 / 3, 0.5, 1]], atol=1e-6)


def test_large_unsigned_values_do_not_wrap(tmp_path):
    path = tiff(tmp_path / "a.tif", np.array([[0, 2**31, 2**32 - 1]], np.uint32))
    found = image_pixels(path, options=ImageOptions(value_range=(0, 2**32 - 1)))
    np.testing.assert_allclose(found, [[0, 0.5, 1]], atol=1e-6)


def test_values_that_are_no_numbers_are_refused(tmp_path):
    path = tiff(tmp_path / "a.tif", np.array([[0, np.nan]], np.float32), sample_format=3)
    assert refusal(path, value_range=(0, 1)) is Fault.UNSUPPORTED_PIXELS


def test_what_pillow_would_cut_or_misread_is_refused(tmp_path):
    tiff(tmp_path / "signed.tif", np.array([[-1, 1]], np.int8), sample_format=2)
    save(tmp_path / "lab.tif", Image.new("LAB", (4, 4)))
    assert refusal(tmp_path / "signed.tif") is Fault.UNSUPPORTED_PIXELS
    assert refusal(tmp_path / "lab.tif") is Fault.UNSUPPORTED_PIXELS


def test_colour_of_16_bits_is_refused(tmp_path):
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for colour, samples in [(2, 3), (6, 4), (4, 2)]:
        rows = b"".join(b"\0" + bytes(range(2 * samples * 4)) for _ in range(4))
        header = struct.pack(">IIBBBBB", 4, 4, 16, colour, 0, 0, 0)
        chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        path = tmp_path / f"{colour}.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
        assert refusal(path) is Fault.UNSUPPORTED_PIXELS


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("kind", ["colour", "grey", "deep"])
def test_images_come_upright(tmp_path, orientation, suffix, kind):
    deep = RNG.integers(0, 2**16, (5, 7), dtype=np.uint16)
    pixels = {"colour": RGB, "grey": GREY, "deep": deep}[kind]
    exif = Image.Exif()
    exif[274] = orientation
    path = save(tmp_path / f"a.{suffix}", STORED[orientation](pixels), exif=exif)
    found = image_pixels(path, channels=3 if kind == "colour" else 1)
    np.testing.assert_allclose(found, pixels / np.iinfo(pixels.dtype).max, atol=1e-6)


def test_a_photograph_comes_upright_also_with_damaged_exif(tmp_path):
    half = np.zeros((16, 32), np.uint8)
    half[:, :16] = 255
    exif = Image.Exif()
    exif[274] = 6
    found = image_pixels(save(tmp_path / "a.jpg", STORED[6](half), exif=exif), channels=1)
    np.testing.assert_allclose(found, half / 255, atol=0.05)
    path = save(tmp_path / "b.jpg", half, exif=b"Exif\0\0II\x2a\0\xff\xff\xff\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about the damage
        np.testing.assert_allclose(image_pixels(path, channels=1), half / 255, atol=0.05)


def transparent_images():
    alpha = np.full((5, 7), 255, np.uint8)
    alpha[1, 2], alpha[3, 4] = 0, 100
    yield "RGBA", Image.fromarray(np.dstack([RGB, alpha])), {}, RGB, alpha
    yield "LA", Image.fromarray(np.dstack([GREY, alpha])), {}, GREY, alpha
    keyed = np.where(GREY[1, 2] == GREY, 0, 255)
    yield "tRNS grey", Image.fromarray(GREY), {"transparency": int(GREY[1, 2])}, GREY, keyed
    palette = Image.fromarray(GREY).convert("P")
    yield "tRNS palette", palette, {"transparency": int(GREY[1, 2])}, GREY, keyed
    deep = GREY.astype(np.uint16) * 257
    yield "tRNS 16 bits", Image.fromarray(deep), {"transparency": int(deep[1, 2])}, GREY, keyed


@pytest.mark.parametrize("case", list(transparent_images()), ids=lambda case: case[0])
def test_transparent_pixels_need_a_background(tmp_path, case):
    _, image, options, colour, alpha = case
    path = save(tmp_path / "a.png", image, **options)
    assert refusal(path) is Fault.TRANSPARENT_PIXELS
    colour = colour if colour.ndim == 3 else np.dstack([colour] * 3)
    share = alpha[..., None] / 255
    for background in (0.5, (1.0, 0.5, 0.0)):
        found = image_pixels(path, options=ImageOptions(background=background))
        expected = share * colour / 255 + (1 - share) * np.broadcast_to(background, 3)
        np.testing.assert_allclose(np.broadcast_to(found.T, expected.T.shape).T, expected, atol=1e-6)


def test_opaque_alpha_is_ignored(tmp_path):
    path = save(tmp_path / "a.png", np.dstack([RGB, np.full((5, 7), 255, np.uint8)]))
    np.testing.assert_array_equal(image_pixels(path), RGB.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(
        image_pixels(path, channels=1), np.asarray(Image.fromarray(RGB).convert("L"), np.float32) / np.float32(255)
    )


@pytest.mark.parametrize(("suffix", "kind"), [("tif", None), ("png", None), ("jpg", "MPO")])
def test_one_of_several_frames_must_be_chosen(tmp_path, suffix, kind):
    frames = [Image.fromarray(np.full((16, 16, 3), level, np.uint8)) for level in (0, 100, 200)]
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, kind, save_all=True, append_images=frames[1:])
    assert refusal(path) is Fault.SEVERAL_FRAMES
    for number, level in enumerate((0, 100, 200)):
        found = image_pixels(path, options=ImageOptions(frame=number))
        np.testing.assert_allclose(found, level / 255, atol=0.01)
    with pytest.raises(DataError, match=r"a\.\w+: expected a frame of number 3, counted from 0, got a file with 3"):
        image_pixels(path, options=ImageOptions(frame=3))


def test_thumbnails_and_reduced_copies_are_not_frames(tmp_path):
    full, small = Image.fromarray(RGB), Image.fromarray(RGB[:2, :2])
    small.encoderinfo = {"tiffinfo": {254: 1}}
    full.save(tmp_path / "a.tif", save_all=True, append_images=[small])
    with Image.open(tmp_path / "a.tif") as image:
        image.seek(1)
        assert image.tag_v2[254] == 1
    np.testing.assert_array_equal(image_pixels(tmp_path / "a.tif"), RGB.astype(np.float32) / np.float32(255))


def test_the_thumbnail_of_a_photograph_is_not_a_frame(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(GREY).save(path, "MPO", save_all=True, append_images=[Image.new("L", (2, 2))])
    assert refusal(path) is Fault.SEVERAL_FRAMES
    content = bytearray(path.read_bytes())
    primary = content.index((0x030000).to_bytes(4, "little"), content.index(b"MPF\0") + 54)
    content[primary + 16 : primary + 20] = (0x010001).to_bytes(4, "little")  # the second entry of 16 bytes
    path.write_bytes(content)
    assert image_pixels(path).shape[:2] == GREY.shape


def test_a_frame_of_a_file_with_one_is_that_one(tmp_path):
    path = save(tmp_path / "a.png", RGB)
    np.testing.assert_array_equal(image_pixels(path, options=ImageOptions(frame=0)), image_pixels(path))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp", "deep.png", "deep.tif"])
def test_a_truncated_image_is_never_read(tmp_path, name):
    values = RNG.integers(0, 2**16, (64, 64), dtype=np.uint16) if name.startswith("deep") else GREY.repeat(9, 0)
    path = save(tmp_path / name, values)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(Exception, match=r"\w"):
        image_pixels(path)


def test_formats_that_are_not_indexed_are_not_read(tmp_path):
    with pytest.raises(FaultyFileError, match="not_an_image"):
        image_pixels(save(tmp_path / "a.gif", RGB))
