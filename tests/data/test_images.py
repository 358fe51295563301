from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from monai_unlearn.data import LoadImage2Dd, list_images, read_image
from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.index.faults import Fault

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def dicom(path, pixels, *, photometric, bits=8, signed=0):
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.SOPInstanceUID = "2.25.1"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, signed
    dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_images_keep_height_and_width(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    found = read_image(tmp_path / "a.png")
    assert found.shape == (3, 5, 7)
    np.testing.assert_allclose(found, RGB.transpose(2, 0, 1) / 255, atol=1e-7)


def test_dicom_and_png_of_the_same_pixels_are_the_same(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    dicom(tmp_path / "a", RGB, photometric="RGB")
    np.testing.assert_array_equal(read_image(tmp_path / "a"), read_image(tmp_path / "a.png"))


@pytest.mark.parametrize(("photometric", "expected"), [("MONOCHROME2", [0, 1]), ("MONOCHROME1", [1, 0])])
def test_bit_depth_and_photometric_interpretation_set_the_scale(tmp_path, photometric, expected):
    pixels = np.array([[0, 4095]], dtype=np.uint16)
    found = read_image(dicom(tmp_path / "a", pixels, photometric=photometric, bits=12), channels=1)
    np.testing.assert_allclose(found, [[expected]], atol=1e-6)


def test_signed_pixels_start_at_their_lowest(tmp_path):
    pixels = np.array([[-2048, 2047]], dtype=np.int16)
    path = dicom(tmp_path / "a", pixels, photometric="MONOCHROME2", bits=12, signed=1)
    np.testing.assert_allclose(read_image(path, channels=1), [[[0, 1]]], atol=1e-6)


def test_ybr_becomes_rgb(tmp_path):
    grey = np.full((2, 2, 3), 128, np.uint8)
    grey[..., 0] = 200
    found = read_image(dicom(tmp_path / "a", grey, photometric="YBR_FULL"))
    np.testing.assert_allclose(found, 200 / 255, atol=0.005)


def test_grey_is_repeated_and_colour_is_reduced_to_luma(tmp_path):
    Image.fromarray(RGB[..., 0]).save(tmp_path / "grey.png")
    assert read_image(tmp_path / "grey.png").shape == (3, 5, 7)
    dicom(tmp_path / "grey", RGB[..., 0], photometric="MONOCHROME2")
    np.testing.assert_array_equal(*read_image(tmp_path / "grey")[:2])
    colour = read_image(dicom(tmp_path / "colour", RGB, photometric="RGB"), channels=1)
    np.testing.assert_allclose(colour[0], RGB @ np.array([0.299, 0.587, 0.114]) / 255, atol=1e-6)


def test_the_transform_replaces_paths_and_keeps_the_rest(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    item = LoadImage2Dd("image")({"image": str(tmp_path / "a.png"), "label": 1})
    assert isinstance(item["image"], torch.Tensor)
    assert item["label"] == 1


@pytest.mark.parametrize("kind", ["png", "dicom"])
def test_a_truncated_file_is_named(tmp_path, kind):
    path = tmp_path / f"cut.{kind}"
    if kind == "png":
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    else:
        dicom(path, RGB, photometric="RGB")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    with pytest.raises(DataError, match=rf"cut\.{kind}: this file has pixel data that cannot be decoded"):
        read_image(path)


def test_one_frame_of_a_dicom_file_must_be_chosen(tmp_path):
    path = dicom(tmp_path / "a", np.zeros((4, 4), np.uint8), photometric="MONOCHROME2")
    dataset = dcmread(path)
    dataset.NumberOfFrames, dataset.PixelData = 5, bytes(range(80))
    dataset.save_as(path)
    with pytest.raises(
        DataError, match="a: this file contains several frames or pages; it counts, but is only read if"
    ):
        read_image(path)
    found = LoadImage2Dd("image", channels=1, frame=2)({"image": path})["image"]
    np.testing.assert_allclose(found, np.arange(32, 48).reshape(1, 4, 4) / 255, atol=1e-7)
    with pytest.raises(DataError, match="a: expected a frame of number 5, counted from 0, got a file with 5 of them"):
        LoadImage2Dd("image", frame=5)({"image": path})


def test_the_palette_of_a_dicom_file_is_applied(tmp_path):
    path = dicom(tmp_path / "a", np.array([[0, 1, 2, 3]], np.uint8), photometric="PALETTE COLOR")
    dataset = dcmread(path)
    tables = {"Red": [0, 255, 0, 100], "Green": [10, 0, 255, 100], "Blue": [20, 0, 0, 100]}
    for name, table in tables.items():
        dataset.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [4, 0, 8])
        dataset.add_new(f"{name}PaletteColorLookupTableData", "OW", bytes(table))
    dataset.save_as(path)
    np.testing.assert_allclose(read_image(path)[:, 0] * 255, list(tables.values()), atol=1e-4)


def test_floating_point_values_of_a_dicom_file_need_a_range(tmp_path):
    path = dicom(tmp_path / "a", np.zeros((1, 3), np.uint8), photometric="MONOCHROME2")
    dataset = dcmread(path)
    del dataset.PixelData
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = np.array([-1, 0.5, 9], np.float32).tobytes()
    dataset.save_as(path)
    with pytest.raises(DataError, match="of no stated range; it counts, but is only read if `value_range` is set"):
        read_image(path)
    found = LoadImage2Dd("image", channels=1, value_range=[0, 2])({"image": path})["image"]
    np.testing.assert_allclose(found, [[[0, 0.25, 1]]])


def test_a_compression_without_a_decoder_is_named():
    with pytest.raises(
        DataError, match=r"JPGExtended\.dcm: this file is compressed in a way that no .* Install a decoder"
    ):
        read_image(Path(get_testdata_file("JPGExtended.dcm")))


@pytest.mark.parametrize(
    ("name", "image", "words", "options"),
    [
        ("a.tif", Image.fromarray(np.full((2, 2), 7, np.float32)), Fault.UNKNOWN_VALUE_RANGE, {"value_range": [5, 9]}),
        ("a.png", Image.new("RGBA", (2, 2)), Fault.TRANSPARENT_PIXELS, {"background": 0.5}),
        ("b.tif", Image.new("LAB", (2, 2)), Fault.UNSUPPORTED_PIXELS, None),
    ],
)
def test_a_refusal_has_the_words_of_the_fault_and_the_option_lifts_it(tmp_path, name, image, words, options):
    image.save(tmp_path / name)
    with pytest.raises(DataError, match=rf"{name}: this file {re.escape(words.sentence)}\. \w"):
        read_image(tmp_path / name)
    if options:
        found = LoadImage2Dd("image", **options)({"image": tmp_path / name})["image"]
        np.testing.assert_allclose(found, np.full((3, 2, 2), 0.5))


def test_deep_grey_is_neither_saturated_nor_crushed(tmp_path):
    values = np.array([[0, 255, 256, 4095, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_image(tmp_path / "a.png", channels=1), [values / 65535], atol=1e-7)


def test_refuses_other_channel_counts():
    with pytest.raises(DataError, match="channels 1 or 3, got 4"):
        LoadImage2Dd("image", channels=4)


def test_lists_the_images_of_a_folder(tmp_path):
    (tmp_path / "deep").mkdir()
    Image.fromarray(RGB).save(tmp_path / "deep" / "b.JPG", format="JPEG")
    dicom(tmp_path / "a", RGB, photometric="RGB")
    (tmp_path / "labels.csv").write_text("x")
    assert list_images(tmp_path) == [str(tmp_path / "a"), str(tmp_path / "deep" / "b.JPG")]


@pytest.mark.parametrize("folder", [None, "nowhere", "."])
def test_a_folder_without_images_is_refused(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="dataset_dir: "):
        list_images(folder)
