"""Finds the reports in an archive that came from one version of a model."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monai_unlearn.pacs.items import INSTANCE, OF_SERIES, PATIENT_ID, SERIES, STUDY, count, tag_of, text
from monai_unlearn.release.results.algorithm import CONTENT, Algorithm, algorithms, images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.pacs.dicomweb import DicomWeb
    from monai_unlearn.pacs.items import Item

SCHEMA_VERSION = 1
READ = "reports_read"
NOTE = (
    "A DICOMweb server searches attributes of the header; the version stands in the content of a report (algorithm "
    "identification, PS3.16 TID 4019). So every report was read."
)
_CLASS = tag_of("SOPClassUID")


@dataclass(frozen=True, kw_only=True)
class Result:
    """A report that came from the version.

    Attributes:
        algorithm: What it says of its algorithm.
        report: Its metadata as DICOM JSON.
        others: Other algorithms, or versions, that it has results of as well.
    """

    algorithm: Algorithm
    others: tuple[Algorithm, ...] = ()
    report: Item = field(repr=False)

    @property
    def study(self) -> str:
        """Its StudyInstanceUID."""
        return str(text(self.report, STUDY))

    @property
    def instance(self) -> str:
        """Its SOPInstanceUID."""
        return str(text(self.report, INSTANCE))

    def to_dict(self, *, with_patient: bool = False) -> dict[str, Any]:
        """Return what is to be marked: UIDs, and the patient's identifier only on request."""
        return {
            "StudyInstanceUID": self.study,
            "SeriesInstanceUID": text(self.report, SERIES),
            "SOPInstanceUID": self.instance,
            "SOPClassUID": text(self.report, _CLASS),
            "algorithm": self.algorithm.to_dict(),
            "other_algorithms": [one.to_dict() for one in self.others],
            "images": images(self.report),
            **({"PatientID": text(self.report, PATIENT_ID)} if with_patient else {}),
        }


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found in an archive.

    Attributes:
        results: The reports of the version, by study and instance.
        read: How many reports were read.
        unidentified: How many of them name no version of an algorithm.
    """

    results: tuple[Result, ...]
    read: int
    unidentified: int


def find(server: DicomWeb, *, version: str, name: str | None = None) -> Found:
    """Read every report of an archive, and return those of one version.

    Args:
        server: The archive.
        version: The version, as algorithm identification names it.
        name: The name of the algorithm, which is the bundle's; None for any.

    Raises:
        ArchiveError: The server fails, refuses, or returns part of what it has.
    """
    results, read, unidentified = [], 0, 0
    for report in _reports(server):
        known = algorithms(report)
        read += 1
        unidentified += not known
        match = next((one for one in known if one.version == version and name in {None, one.name}), None)
        if match is not None:
            others = tuple(one for one in known if (one.name, one.version) != (match.name, match.version))
            results.append(Result(algorithm=match, others=others, report=report))
    ordered = sorted(results, key=lambda one: (one.study, one.instance))
    return Found(results=tuple(ordered), read=read, unidentified=unidentified)


def document_of(found: Found, *, server: str, version: str, name: str | None, with_patients: bool) -> dict[str, Any]:
    """Return what was found as plain values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "server": server,
        "version": version,
        "name": name,
        "how": READ,
        "note": NOTE,
        "reports": {
            "read": found.read,
            "of_the_version": len(found.results),
            "with_other_algorithms": sum(bool(one.others) for one in found.results),
            "without_version": found.unidentified,
        },
        "studies": len({one.study for one in found.results}),
        "results": [one.to_dict(with_patient=with_patients) for one in found.results],
    }


def _reports(server: DicomWeb) -> Iterator[Item]:
    """Yield the metadata of every report, whole."""
    fields = ["StudyInstanceUID", "NumberOfSeriesRelatedInstances", "Modality"]
    series = server.search("series", key=(STUDY, SERIES), filters={"Modality": "SR"}, fields=fields)
    # Listed first: the archive may change while its reports are read.
    for one in list(series):
        # A server may ignore the filter.
        if text(one, tag_of("Modality")) not in {"SR", None}:
            continue
        study, uid = str(text(one, STUDY)), str(text(one, SERIES))
        for report in server.series_metadata(study, uid, expected=count(one, OF_SERIES)):
            yield _whole(server, report, study, uid)


def _whole(server: DicomWeb, report: Item, study: str, series: str) -> Item:
    """Return a report with its content: some servers leave it out of metadata, and then the file is fetched."""
    if CONTENT in report:
        return report
    import pydicom

    content = server.instance(study, series, str(text(report, INSTANCE)))
    dataset = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
    # Through text: pydicom's own values are none of JSON.
    return dict(json.loads(dataset.to_json()))
