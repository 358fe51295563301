"""Sends reports to an archive: STOW-RS or C-STORE, each checked before anything is sent."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pydicom
from pydicom.errors import InvalidDicomError

from monai_unlearn.errors import ArchiveError, DataError
from monai_unlearn.pacs.items import STORED, tag_of, text, values
from monai_unlearn.release.results.algorithm import algorithms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

    from monai_unlearn.pacs.dicomweb import DicomWeb

SCHEMA_VERSION = 1
TEMPLATE = "1500"
AT_ONCE = 50
"""How many files one request of STOW-RS has."""
_NAMED = 5
_INSTANCE = tag_of("ReferencedSOPInstanceUID")


class Sender(Protocol):
    """What takes files to an archive."""

    def send(self, files: Sequence[bytes], datasets: Sequence[Dataset]) -> list[str]:
        """Send files, and return the SOPInstanceUIDs of those that the archive refused."""


@dataclass(frozen=True)
class Stow:
    """Sends by STOW-RS.

    Attributes:
        server: The archive.
    """

    server: DicomWeb

    def send(self, files: Sequence[bytes], datasets: Sequence[Dataset]) -> list[str]:
        """Send files, and return the SOPInstanceUIDs of those that the archive does not say it stored."""
        answer = self.server.store(files)
        stored = {text(item, _INSTANCE) for item in values(answer, STORED) if isinstance(item, dict)}
        return [str(one.SOPInstanceUID) for one in datasets if str(one.SOPInstanceUID) not in stored]


def read_reports(paths: Sequence[Path], *, version: str | None = None, name: str | None = None) -> list[Dataset]:
    """Read reports, and check that each is one of TID 1500 that names the version of its model and its images.

    Args:
        paths: Files, or folders with all files below them.
        version: The version that they must be of; None for any.
        name: The name of the bundle that they must be of; None for any.

    Raises:
        DataError: A file is no such report, or there is none.
    """
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise DataError("expected reports to send, found no file. Write them with `run infer --reports True`.")
    found = []
    for file in files:
        try:
            dataset = pydicom.dcmread(file)
        except (InvalidDicomError, OSError):
            raise DataError(f"{file}: expected a DICOM report, got another file. Nothing was sent.") from None
        _check(file, dataset, version, name)
        found.append(dataset)
    return found


def shown_all(datasets: Sequence[Dataset]) -> list[dict[str, Any]]:
    """Return what is known of documents: UIDs and the model, nothing of a patient."""
    return [_shown(one) for one in datasets]


def encoded(dataset: Dataset) -> bytes:
    """Return a document as a DICOM file."""
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def store_all(datasets: Sequence[Dataset], sender: Sender, *, server: str) -> int:
    """Send documents, and return how many were stored.

    Args:
        datasets: The documents.
        sender: What takes them there.
        server: How messages name the archive.

    Raises:
        ArchiveError: The archive fails, or refuses a document; the message says how many were stored.
    """
    refused: list[str] = []
    for start in range(0, len(datasets), AT_ONCE):
        some = datasets[start : start + AT_ONCE]
        refused += sender.send([encoded(one) for one in some], some)
    if refused:
        more = ", …" if len(refused) > _NAMED else ""
        raise ArchiveError(
            f"{server}: {len(refused)} of {len(datasets)} documents were refused, the others are stored: "
            f"{', '.join(sorted(refused)[:_NAMED])}{more}. Look at the archive's log, and send again: what it has "
            "already is not stored twice."
        )
    return len(datasets)


def document_of(datasets: Sequence[Dataset], *, server: str, sent: int | None) -> dict[str, Any]:
    """Return what was sent, or would be, as plain values.

    Args:
        datasets: The documents.
        server: The archive.
        sent: How many were stored; None where nothing was to be sent.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "server": server,
        "dry_run": sent is None,
        "sent": sent or 0,
        "documents": shown_all(datasets),
    }


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise DataError(f"{path}: expected a report or a folder of them, found nothing.")
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def _check(file: Path, dataset: Dataset, version: str | None, name: str | None) -> None:
    template = [str(item.get("TemplateIdentifier")) for item in dataset.get("ContentTemplateSequence") or ()]
    if template != [TEMPLATE]:
        raise DataError(f"{file}: expected a measurement report (TID 1500), got another document. Nothing was sent.")
    found = algorithms(_json(dataset))
    known = {one.version for one in found}
    if not known or (version is not None and known != {version}):
        expected = f"version {version}" if version else "a version"
        got = ", ".join(sorted(known)) or "none"
        raise DataError(f"{file}: expected {expected} in its algorithm identification, got {got}. Nothing was sent.")
    names = {str(one.name) for one in found}
    if name is not None and names != {name}:
        got = ", ".join(sorted(names))
        raise DataError(
            f"{file}: expected a report of {name} in its algorithm identification, got {got}. Nothing was sent."
        )
    if not dataset.get("CurrentRequestedProcedureEvidenceSequence"):
        raise DataError(f"{file}: expected the images it was made from as evidence, got none. Nothing was sent.")


def _shown(dataset: Dataset) -> dict[str, Any]:
    known = algorithms(_json(dataset))
    evidence = [
        str(item.ReferencedSOPInstanceUID)
        for study in dataset.get("CurrentRequestedProcedureEvidenceSequence") or ()
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    ]
    return {
        "SOPClassUID": str(dataset.SOPClassUID),
        "SOPInstanceUID": str(dataset.SOPInstanceUID),
        "StudyInstanceUID": str(dataset.StudyInstanceUID),
        "algorithm": known[0].to_dict() if known else None,
        "derived_from": evidence,
    }


def _json(dataset: Dataset) -> dict[str, Any]:
    """Return the content of a document as DICOM JSON, without what is large."""
    content = pydicom.Dataset()
    for keyword in ("SOPInstanceUID", "ContentSequence"):
        if keyword in dataset:
            content[keyword] = dataset[keyword]
    return dict(content.to_json_dict())
