"""An archive that a test fills: a small DICOMweb server that searches reports, and takes documents."""

from __future__ import annotations

import io
import json
from email.parser import BytesParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pydicom
from small_server import Reply

from monai_unlearn.pacs.items import tag_of
from monai_unlearn.release.report_content import ModelIdentity, encode_report
from monai_unlearn.release.sr import read_source

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset
    from small_server import Asked

CLASSES = ("glioma", "meningioma")


def report_of(image: Path, version: str, *, name: str = "MRI classifier") -> Dataset:
    """The report of a version on an image."""
    model = ModelIdentity(name=name, version=version, weights="sha256:" + "ab" * 32, class_names=CLASSES)
    return encode_report(read_source(image), [0.3, 0.7], model=model)


class Archive:
    """Answers as an archive does.

    Attributes:
        documents: What it has.
        without_content: Whether its metadata leave out the content of reports, as some servers' do.
        refuses: Whether it refuses what is sent.
        stores: How many of the documents of a request it says it has stored; null for all.
    """

    def __init__(
        self, *documents: Dataset, without_content: bool = False, refuses: bool = False, stores: int | None = None
    ) -> None:
        self.documents = list(documents)
        self.without_content = without_content
        self.refuses, self.stores = refuses, stores

    def __call__(self, asked: Asked) -> Reply:
        path = urlsplit(asked.path).path.strip("/").split("/")
        query = parse_qs(urlsplit(asked.path).query)
        if asked.method == "POST":
            return self._store(asked)
        if path[-1] in {"series", "instances"}:
            return self._search(path, query)
        chosen = [one for one in self.documents if one.SeriesInstanceUID == path[3]]
        if path[4] == "instances":
            chosen = [one for one in chosen if one.SOPInstanceUID == path[5]]
        if path[-1] == "metadata":
            return Reply(json.dumps([self._metadata(one) for one in chosen]).encode())
        (one,) = chosen
        return multipart(encoded(one))

    def _search(self, path: list[str], query: dict[str, list[str]]) -> Reply:
        modality = query.get("Modality", [None])[0]
        level = "SeriesInstanceUID" if path[-1] == "series" else "SOPInstanceUID"
        chosen = [one for one in self.documents if modality in {None, one.Modality}]
        if len(path) > 2:
            chosen = [one for one in chosen if one.SeriesInstanceUID == path[-2]]
        items = {
            one[level].value: {
                tag_of("StudyInstanceUID"): {"vr": "UI", "Value": [str(one.StudyInstanceUID)]},
                tag_of(level): {"vr": "UI", "Value": [str(one[level].value)]},
                tag_of("Modality"): {"vr": "CS", "Value": [one.Modality]},
            }
            for one in chosen
        }
        return Reply(json.dumps(list(items.values())[int(query.get("offset", ["0"])[0]) :]).encode())

    def _metadata(self, one: Dataset) -> dict:
        # As it is in a file: dates that were just made are no JSON.
        item = json.loads(pydicom.dcmread(io.BytesIO(encoded(one))).to_json())
        if self.without_content:
            item.pop(tag_of("ContentSequence"), None)
        return item

    def _store(self, asked: Asked) -> Reply:
        kind = {name.lower(): value for name, value in asked.headers.items()}["content-type"]
        message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + asked.content)
        came = [pydicom.dcmread(io.BytesIO(part.get_payload(decode=True))) for part in message.get_payload()]
        items = [{tag_of("ReferencedSOPInstanceUID"): {"vr": "UI", "Value": [one.SOPInstanceUID]}} for one in came]
        if self.refuses:
            failed = {tag_of("FailedSOPSequence"): {"vr": "SQ", "Value": items}}
            return Reply(json.dumps(failed).encode(), status=409)
        known = {one.SOPInstanceUID for one in self.documents}
        self.documents += [one for one in came if one.SOPInstanceUID not in known]
        stored = {tag_of("ReferencedSOPSequence"): {"vr": "SQ", "Value": items[: self.stores]}}
        return Reply(json.dumps(stored).encode())


def encoded(one: Dataset) -> bytes:
    """A document as a file."""
    stream = io.BytesIO()
    one.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def multipart(content: bytes) -> Reply:
    """An answer of one part."""
    body = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--x--\r\n"
    return Reply(body, headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=x'})
