"""A DIMSE client against a small server of pynetdicom's, which answers as a test says."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit
from pynetdicom import DEFAULT_TRANSFER_SYNTAXES
from pynetdicom.sop_class import (
    OphthalmicPhotography8BitImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import STUDY, text
from monai_unlearn.pacs.paging import CappedError


def found(uid):
    dataset = Dataset()
    dataset.QueryRetrieveLevel, dataset.StudyInstanceUID = "STUDY", uid
    return dataset


def find(client):
    return [text(one, STUDY) for one in client.find("STUDY", {"StudyDate": "20200101-"}, [0x0020000D, 0x00082218])]


def test_results_as_dicom_json(dimse):
    asked = []

    def answer(event):
        asked.append(event.identifier)
        yield from ((0xFF00, found(f"1.2.{number}")) for number in range(3))

    client = dimse(answer)
    assert find(client) == find(client) == ["1.2.0", "1.2.1", "1.2.2"]
    assert (asked[0].QueryRetrieveLevel, asked[0].StudyDate, len(asked[0].AnatomicRegionSequence)) == (
        "STUDY",
        "20200101-",
        0,
    )
    assert client.requests == 2


@pytest.mark.parametrize("status", [0xA700, 0xFE00], ids=["out of resources", "cancelled"])
def test_an_answer_that_is_ended_after_some_results_is_a_cap(dimse, status):
    def answer(_):
        yield 0xFF00, found("1.2.1")
        yield status, None

    with pytest.raises(CappedError, match="C-FIND STUDY was answered with 1 results and no more"):
        find(dimse(answer))


def test_out_of_resources_passes(dimse):
    statuses = [0xA700]

    def answer(_):
        if statuses:
            yield statuses.pop(), None
        yield 0xFF00, found("1.2.1")

    assert find(dimse(answer)) == ["1.2.1"]


def test_other_failures_name_their_status(dimse):
    def answer(_):
        yield 0xC001, None

    with pytest.raises(ArchiveError, match=r"PACS@127\.0\.0\.1:\d+: C-FIND was answered with the status C001h"):
        find(dimse(answer))


def compressed():
    """An image that an archive stores compressed."""
    dataset = found("1.2")
    del dataset.QueryRetrieveLevel
    dataset.SOPClassUID, dataset.SOPInstanceUID = OphthalmicPhotography8BitImageStorage, "1.2.3.4"
    dataset.SeriesInstanceUID = "1.2.3"
    dataset.PixelData = encapsulate([b"jpeg"])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return dataset


def test_a_compressed_image_that_the_archive_does_not_decompress(dimse):
    def answer(event):
        dataset = found("1.2")
        dataset.QueryRetrieveLevel, dataset.SOPClassUID = "IMAGE", OphthalmicPhotography8BitImageStorage
        yield 0xFF00, dataset

    def get(_):
        yield 1
        yield 0xFF00, compressed()

    photograph = (OphthalmicPhotography8BitImageStorage, *DEFAULT_TRANSFER_SYNTAXES, JPEGBaseline8Bit)
    services = (StudyRootQueryRetrieveInformationModelFind, StudyRootQueryRetrieveInformationModelGet)
    client = dimse(answer, contexts=(*services, photograph), get=get)
    file = dcmread(BytesIO(client.instance("1.2", "1.2.3", "1.2.3.4")))
    assert file.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert file.PixelData == compressed().PixelData
