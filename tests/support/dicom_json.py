"""Small DICOM JSON items, and a server of studies made of them that can misbehave."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from small_server import Asked, Reply

from monai_unlearn.pacs.items import INSTANCE, SERIES, STUDY, tag_of

PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
_STUDY_LEVEL = tuple(
    map(tag_of, ("StudyInstanceUID", "PatientID", "StudyDate", "StudyDescription", "AccessionNumber", "PatientSex"))
)


def item(**keywords: object) -> dict:
    """Return an item by keywords; a list gives several values, null an element without a value."""
    return {tag_of(keyword): element(keyword, value) for keyword, value in keywords.items()}


def element(keyword: str, value: object) -> dict:
    from pydicom.datadict import dictionary_VR

    vr = dictionary_VR(int(tag_of(keyword), 16))
    if value is None:
        return {"vr": vr}
    return {"vr": vr, "Value": value if isinstance(value, list) else [value]}


def image(study: str, number: int, *, series: str | None = None, **keywords: object) -> dict:
    """Return the metadata of a photograph."""
    own = {
        "SOPClassUID": PHOTOGRAPH,
        "SOPInstanceUID": f"{study}.9.{number}",
        "StudyInstanceUID": study,
        "SeriesInstanceUID": series or f"{study}.1",
        "PatientID": f"P{study.rpartition('.')[2]}",
        "StudyDate": "20180605",
        "Modality": "OP",
        "ManufacturerModelName": "Cirrus 800 FA",
        "Rows": 8,
        "Columns": 8,
    }
    return {**item(**{**own, **keywords}), "7FE00010": {"vr": "OW", "BulkDataURI": "x"}}


def images_of(studies: int, each: int = 2, **keywords: object) -> list[dict]:
    """Return the metadata of some studies."""
    return [image(f"1.2.{study}", number, **keywords) for study in range(1, studies + 1) for number in range(each)]


@dataclass
class Studies:
    """Answers as a DICOMweb server with these images does.

    Attributes:
        images: The metadata of its images.
        cap: The most items that an answer has; null for any number.
        ignores_offset: Whether it answers with the first page always.
        warns: Whether it warns where it caps.
        counts: Whether it tells NumberOfStudyRelatedInstances.
        lacks: SOPInstanceUIDs that it leaves out of the metadata of whole studies.
        lost: SOPInstanceUIDs whose metadata it does not return at all.
    """

    images: list[dict]
    cap: int | None = None
    ignores_offset: bool = False
    warns: bool = False
    counts: bool = True
    lacks: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)

    def __call__(self, asked: Asked) -> Reply:
        parts = urlsplit(asked.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.strip("/")
        if match := re.fullmatch(r"studies/([\d.]+)(?:/series/([\d.]+))?(?:/instances/([\d.]+))?/metadata", path):
            found = [one for one in self._of(*match.groups()) if _value(one, INSTANCE) not in self.lost]
            if match[3] is not None and not found:
                return Reply(b"", 204)
            if match[2] is None:
                found = [one for one in found if _value(one, INSTANCE) not in self.lacks]
            return _json(found) if found else Reply(b"", 404)
        if path == "studies":
            return self._page(self._studies(query), query)
        if match := re.fullmatch(r"studies/([\d.]+)/series", path):
            return self._page(_first_of(self._of(match[1]), SERIES), query)
        if match := re.fullmatch(r"studies/([\d.]+)(?:/series/([\d.]+))?/instances", path):
            return self._page(self._of(*match.groups()), query)
        return Reply(b"", 404)

    def _of(self, study: str, series: str | None = None, instance: str | None = None) -> list[dict]:
        wanted = {STUDY: study, SERIES: series, INSTANCE: instance}
        return [one for one in self.images if all(uid in (None, _value(one, tag)) for tag, uid in wanted.items())]

    def _studies(self, query: dict[str, str]) -> list[dict]:
        found = []
        for first in _first_of(self.images, STUDY):
            study = {tag: first[tag] for tag in _STUDY_LEVEL if tag in first}
            members = self._of(_value(first, STUDY))
            if self.counts:
                study |= item(NumberOfStudyRelatedInstances=len(members))
            study |= item(ModalitiesInStudy=sorted({_value(one, tag_of("Modality")) for one in members}))
            low, _, high = query.get("StudyDate", "-").partition("-")
            day = _value(first, tag_of("StudyDate"))
            if query.get("StudyInstanceUID", _value(first, STUDY)) != _value(first, STUDY):
                continue
            if day is None and (low or high):
                continue
            if (not low or day >= low) and (not high or day <= high):
                found.append(study)
        return found

    def _page(self, items: list[dict], query: dict[str, str]) -> Reply:
        offset = 0 if self.ignores_offset else int(query.get("offset", 0))
        most = min(int(query.get("limit", 10**6)), self.cap or 10**6)
        page = items[offset : offset + most]
        reply = _json(page) if page else Reply(b"", 204)
        if self.warns and offset + most < len(items):
            reply.headers["Warning"] = '299 server: "The number of results exceeded the maximum"'
        return reply


def _json(document: object) -> Reply:
    return Reply(json.dumps(document).encode())


def _value(one: dict, tag: str) -> str | None:
    return next(iter(one.get(tag, {}).get("Value", ())), None)


def _first_of(images: list[dict], tag: str) -> list[dict]:
    return list({_value(one, tag): one for one in reversed(images)}.values())[::-1]
