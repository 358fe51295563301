from __future__ import annotations

import sys
import zlib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.pixels import decoders, get_decoder
from pydicom.uid import HTJ2K, UID, JPEGExtended12Bit, JPEGLSLossless

from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.dicom_pixels import (
    DEFLATED_IMAGE_FRAME,
    _is_limit,
    decoded,
    frame_count,
    opened_pixels,
)
from monai_unlearn.index.readers.row import FaultyFileError

JPEG_XL = ("1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.111", "1.2.840.10008.1.2.4.112")


@pytest.fixture
def encapsulated(make_dicom, tmp_path):
    """Write a photograph whose frames are compressed by a function, in a transfer syntax."""

    def make(syntax, compress, *, frames=1, **tags):
        path = make_dicom(tmp_path / "a.dcm")
        dataset = pydicom.dcmread(path)
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)
        size = len(dataset.PixelData) // frames
        parts = [dataset.PixelData[number * size : (number + 1) * size] for number in range(frames)]
        dataset.NumberOfFrames = frames
        dataset.PixelData = encapsulate([compress(part) for part in parts])
        dataset["PixelData"].is_undefined_length = True
        # pydicom writes no syntax that it does not know: write another of this length, and exchange it.
        other = {22: "1.2.840.10008.1.2.4.80", 24: "1.2.840.10008.1.2.4.201"}[len(syntax) + len(syntax) % 2]
        dataset.file_meta.TransferSyntaxUID = UID(other)
        dataset.save_as(path, enforce_file_format=True)
        padded = [uid.encode() + b"\0" * (len(uid) % 2) for uid in (other, syntax)]
        path.write_bytes(path.read_bytes().replace(*padded, 1))
        assert read_file(path).get("fault") is None
        return path, parts

    return make


def deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return squeeze.compress(data) + squeeze.flush()


def pixels_of(path, frame=None):
    with opened_pixels(path) as dataset:
        return decoded(dataset, frame)


def fault_of(path):
    with pytest.raises(FaultyFileError, match="pixels_not_checked") as found:
        pixels_of(path)
    return found.value.fault


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "SC_rgb_small_odd.dcm", "MR_small_RLE.dcm", "SC_ybr_full_422_uncompressed.dcm"]
)
def test_pixels_are_those_of_pydicom(name):
    path = get_testdata_file(name)
    np.testing.assert_array_equal(pixels_of(Path(path)), pydicom.dcmread(path).pixel_array)


@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "JPGExtended.dcm"])
def test_valid_jpeg_of_12_bits_is_not_called_damaged(name):
    assert fault_of(Path(get_testdata_file(name))) is Fault.PIXELS_NOT_CHECKED


def test_damage_is_damage(encapsulated):
    path, _ = encapsulated("1.2.840.10008.1.2.4.50", lambda _: b"\xff" * 100)
    with pytest.raises(Exception, match=r"\w") as found:
        pixels_of(path)
    assert not isinstance(found.value, FaultyFileError)


def test_a_decoder_that_finds_damage_outweighs_those_that_refuse(monkeypatch):
    plugin = ModuleType("plugin_that_finds_damage")
    plugin.is_available = lambda _: True
    plugin.decode = lambda *_: 1 // 0
    monkeypatch.setitem(sys.modules, plugin.__name__, plugin)
    decoder = get_decoder(JPEGExtended12Bit)
    decoder.add_plugin("damage", (plugin.__name__, "decode"))
    try:
        with pytest.raises(RuntimeError, match="damage: integer division"):
            pixels_of(Path(get_testdata_file("JPGExtended.dcm")))
    finally:
        decoder.remove_plugin("damage")


@pytest.mark.skipif(get_decoder(HTJ2K).is_available, reason="a decoder of HTJ2K is installed")
def test_compression_whose_decoder_is_not_installed_is_not_checked(encapsulated):
    path, _ = encapsulated(HTJ2K, lambda part: part[:20])
    assert fault_of(path) is Fault.PIXELS_NOT_CHECKED


def test_what_a_decoder_was_not_made_for_is_told_from_damage():
    from pydicom.pixels.decoders import gdcm, rle

    runner = SimpleNamespace(rows=8, columns=8, samples_per_pixel=1, bits_allocated=8, get_option=lambda *_: ">")
    runner.transfer_syntax, runner.photometric_interpretation = JPEGLSLossless, ""
    runner.bits_stored, runner.pixel_representation = 6, 0
    for plugin, frame, is_limit in [(gdcm, b"", True), (rle, bytes(64), False)]:
        with pytest.raises(ValueError, match=r"\w") as found:
            plugin._decode_frame(frame, runner)
        assert _is_limit(found.value) is is_limit


@pytest.mark.parametrize("syntax", [*JPEG_XL, "1.2.840.10008.1.2.1.98", "1.2.826.0.1.3680043.2.1"])
def test_compression_that_pydicom_does_not_know_is_not_checked(encapsulated, syntax):
    path, _ = encapsulated(syntax, lambda part: b"\xff\x0a" + part[:20])
    if UID(syntax) not in decoders.base._PIXEL_DATA_DECODERS:
        assert fault_of(path) is Fault.PIXELS_NOT_CHECKED


def test_deflated_image_frames_are_inflated(encapsulated):
    path, parts = encapsulated(DEFLATED_IMAGE_FRAME, deflate, frames=2, Rows=4)
    with opened_pixels(path) as dataset:
        assert frame_count(dataset) == 2
    expected = [np.frombuffer(part, np.uint8).reshape(4, 8, 3) for part in parts]
    np.testing.assert_array_equal(pixels_of(path), expected)
    np.testing.assert_array_equal(pixels_of(path, 1), expected[1])


def test_deflated_frames_of_single_bits_are_joined_bit_by_bit(encapsulated):
    bits = np.random.default_rng(0).integers(0, 2, (2, 3, 5), dtype=np.uint8)
    parts = iter([np.packbits(frame, bitorder="little").tobytes() for frame in bits])
    grey = {"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": 3, "Columns": 5}
    depth = {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}
    path, _ = encapsulated(DEFLATED_IMAGE_FRAME, lambda _: deflate(next(parts)), frames=2, **grey, **depth)
    np.testing.assert_array_equal(pixels_of(path), bits)


@pytest.mark.parametrize(
    "damage", [lambda data: deflate(data[:-1]), lambda data: deflate(data + b"\0"), lambda data: data]
)
def test_damaged_deflated_frames_are_not_read(encapsulated, damage):
    path, _ = encapsulated(DEFLATED_IMAGE_FRAME, damage)
    with pytest.raises((ValueError, zlib.error), match=r"a frame inflates to another size|Error -\d"):
        pixels_of(path)


def test_pydicom_prints_nothing_about_what_it_cannot_decode(capfd):
    fault_of(Path(get_testdata_file("JPEG-lossy.dcm")))
    assert capfd.readouterr() == ("", "")
