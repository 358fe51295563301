"""Small files of every kind in an archive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, OphthalmicPhotography8BitImageStorage, generate_uid

MakeDicom = Callable[..., Path]
MakeImage = Callable[..., Path]


@pytest.fixture
def dataset() -> Callable[..., FileDataset]:
    """Make a small colour photograph of an eye in memory; keywords replace its tags, None removes one."""

    def make(seed: int = 0, *, size: int = 8, syntax: str = ExplicitVRLittleEndian, **tags: object) -> FileDataset:
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = syntax
        meta.MediaStorageSOPClassUID = OphthalmicPhotography8BitImageStorage
        made = FileDataset(
            "",
            {},
            file_meta=meta,
            preamble=b"\0" * 128,
            is_implicit_VR=UID(syntax).is_implicit_VR,
            is_little_endian=UID(syntax).is_little_endian,
        )
        values: dict[str, object] = {
            "SOPClassUID": OphthalmicPhotography8BitImageStorage,
            "SOPInstanceUID": generate_uid(entropy_srcs=["image", str(seed)]),
            "StudyInstanceUID": generate_uid(entropy_srcs=["study", str(seed)]),
            "SeriesInstanceUID": generate_uid(entropy_srcs=["series", str(seed)]),
            "PatientID": f"P{seed}",
            "PatientAge": "045Y",
            "Modality": "OP",
            "ManufacturerModelName": "Cirrus 800 FA",
            "StudyDate": "20180605",
            "AcquisitionDateTime": "20180605101112.5+0100",
            "ImageType": ["ORIGINAL", "PRIMARY"],
            "SamplesPerPixel": 3,
            "PhotometricInterpretation": "RGB",
            "PlanarConfiguration": 0,
            "Rows": size,
            "Columns": size,
            "BitsAllocated": 8,
            "BitsStored": 8,
            "HighBit": 7,
            "PixelRepresentation": 0,
            "PixelData": np.random.default_rng(seed).integers(0, 256, size * size * 3, np.uint8).tobytes(),
            **tags,
        }
        for keyword, value in values.items():
            if value is not None:
                setattr(made, keyword, value)
        meta.MediaStorageSOPInstanceUID = values["SOPInstanceUID"] or "1.2.3"
        return made

    return make


@pytest.fixture
def make_dicom(dataset: Callable[..., FileDataset]) -> MakeDicom:
    """Write such a photograph to a path."""

    def make(path: Path, seed: int = 0, **options: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset(seed, **options).save_as(path, enforce_file_format=True)
        return path

    return make


@pytest.fixture
def make_image() -> MakeImage:
    """Write a small plain image, of the format of its suffix."""

    def make(path: Path, seed: int = 0, *, size: int = 16, **options: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
        Image.fromarray(pixels).save(path, **options)
        return path

    return make
