from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from monai_unlearn.data import LoadImage2Dd, list_images, read_image
from monai_unlearn.errors import ConfigError, DataError

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
    with pytest.raises(DataError, match=rf"cut\.{kind}: the image cannot be decoded"):
        read_image(path)


def test_volumes_are_refused(tmp_path):
    pixels = np.zeros((4, 4), np.uint8)
    path = dicom(tmp_path / "a", pixels, photometric="MONOCHROME2")
    from pydicom import dcmread

    dataset = dcmread(path)
    dataset.NumberOfFrames, dataset.PixelData = 5, b"\0" * 80
    dataset.save_as(path)
    with pytest.raises(DataError, match=r"expected one 2-D grey or RGB image, got an array of shape \(5, 4, 4\)"):
        read_image(path)


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
