"""Fetching the images of a cohort from an archive: only these, checked, whole or not at all, and bound to the index.

IMAGES/STUDY/SERIES/INSTANCE.dcm   the files, as the archive stores them
IMAGES/fetched.parquet             the digests of each: of the file, and of its pixels
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.patient_key import ISSUED_BY, PatientKey
from monai_unlearn.index.readers import read_file
from monai_unlearn.index.readers.identity import settled
from monai_unlearn.index.readers.pixel_digest import pixel_digest
from monai_unlearn.index.store.file_digest import file_digest
from monai_unlearn.index.store.relink import relink
from monai_unlearn.index.store.schema import CONFLICT
from monai_unlearn.index.store.store import read_document
from monai_unlearn.index.usable import is_usable
from monai_unlearn.locks import locked
from monai_unlearn.pacs.web import RefusedError
from monai_unlearn.staging import staged_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from monai_unlearn.index.store.store import Index

MANIFEST = "fetched.parquet"
DIMSE = "dimse://"
# Beside the codes of `Fault`: the file has other identifiers than were asked for; its patient is not that of the index,
# because the archive has corrected one since the pull; its pixels are not those of before.
OTHER_IMAGE, OTHER_PATIENT, OTHER_PIXELS = "other_image", "other_patient", "other_pixels"
_A_MANIFEST = 200
_AHEAD = 4
_SCHEMA = pa.schema(
    {
        "image_id": pa.string(),
        "name": pa.string(),
        "size": pa.int64(),
        "mtime_ns": pa.int64(),
        "file_digest": pa.string(),
        "pixel_digest": pa.string(),
        "patient": pa.string(),
        "issuer": pa.string(),
        "institution": pa.string(),
    }
)
_KEYS = tuple(PatientKey(issuer=issuer, institution=at) for issuer in (False, True) for at in (False, True))


class ImageArchive(Protocol):
    """An archive that has files. Its method raises `ArchiveError` where it fails or refuses."""

    def instance(self, study: str, series: str, instance: str) -> bytes:
        """Return the file of an instance."""


@dataclass(frozen=True)
class Wanted:
    """An image to fetch, as the index identifies it.

    Attributes:
        image_id: Its identifier in the index.
        study: Its StudyInstanceUID.
        series: Its SeriesInstanceUID.
        people: The identifiers of its patient, as `patient_ids` spells them; empty where the index does not have them
            from its tags.
    """

    image_id: str
    study: str
    series: str
    people: frozenset[str] = frozenset()

    @property
    def uid(self) -> str:
        """Its SOPInstanceUID: `image_id` has a suffix where copies contradict each other."""
        return self.image_id.partition(CONFLICT)[0]

    @property
    def name(self) -> str:
        """Its path within the folder of images."""
        return f"{self.study}/{self.series}/{self.image_id.replace(CONFLICT, '_')}.dcm"


@dataclass(frozen=True)
class Fetched:
    """A file that is there, and what it was when it was fetched."""

    image_id: str
    name: str
    size: int
    mtime_ns: int
    file_digest: str
    pixel_digest: str | None
    patient: str | None
    issuer: str | None
    institution: str | None

    def is_of(self, people: frozenset[str]) -> bool:
        """Return whether the patient of the file is one with these identifiers; anybody is where there are none."""
        if not people:
            return True
        name = self.patient or ""
        issued = {key.of(name, self.issuer, self.institution) for key in _KEYS} - {name}
        if issued and any(one.startswith(name + ISSUED_BY) for one in people):
            return not issued.isdisjoint(people)
        return name in people


@dataclass
class FetchReport:
    """What a fetch did.

    Attributes:
        folder: The folder of images.
        wanted: How many images were asked for.
        fetched: How many came now.
        present: How many were there already.
        missing: How many the archive no longer has.
        faulty: How many files the archive has that are not the image or not whole, by fault.
        left: How many were not asked for because the budget is used up.
        bytes: The size of all files of the cohort that are there.
    """

    folder: Path
    wanted: int
    fetched: int = 0
    present: int = 0
    missing: int = 0
    faulty: Counter[str] = field(default_factory=Counter)
    left: int = 0
    bytes: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every image that was asked for is there."""
        return self.fetched + self.present == self.wanted

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        return {**vars(self), "folder": str(self.folder), "faulty": dict(self.faulty), "whole": self.is_whole}


def pulled_from(index: Index) -> str:
    """Return the address of the archive that an index was pulled from.

    Raises:
        IndexReadError: It was built of files, or has pseudonyms.
    """
    if index.pseudonyms is not None:
        raise IndexReadError(
            f"{index.directory}: this index has pseudonyms, and files from an archive have names. Pull without "
            "--pseudonymise where images may be kept, and fetch them there."
        )
    pulled = read_document(index.directory).get("pulled")
    if not isinstance(pulled, dict):
        raise IndexReadError(
            f"{index.directory}: this index was not pulled from an archive. Its files are where it says."
        )
    return str(pulled["archive"])


@contextmanager
def opened_archive(address: str, *, aet: str | None, connections: int) -> Iterator[ImageArchive]:
    """Open the archive at an address, as `pulled_from` returns it.

    Args:
        address: The root of DICOMweb services, or `dimse://CALLED@HOST:PORT`.
        aet: The AE title of this machine, for DIMSE.
        connections: How many files are asked for at once.

    Raises:
        ArchiveError: The address or the AE title cannot be used.
    """
    if address.startswith(DIMSE):
        from monai_unlearn.pacs.dimse import Dimse, Peer

        called, _, server = address.removeprefix(DIMSE).partition("@")
        with closing(Dimse(Peer.of(server, aet=aet, called=called))) as dimse:
            yield dimse
        return
    from monai_unlearn.pacs.access import Access
    from monai_unlearn.pacs.dicomweb import DicomWeb

    with DicomWeb(Access.of(address, connections=connections)) as web:
        yield web


def people_of(index: Index) -> dict[str, str]:
    """Return the identifiers of the patient of each image, where they are those of its tags and not of a table."""
    origin = read_document(index.directory).get("patient_from")
    if not str(origin or "").startswith("PatientID"):
        return {}
    frame = index.frame(["image_id", "patient_ids"]).dropna()
    return dict(zip(frame["image_id"], frame["patient_ids"], strict=True))


def wanted_of(rows: Iterable[tuple[str, str | None, str | None, str | None]]) -> list[Wanted]:
    """Return the images to fetch, in the order of their studies.

    Args:
        rows: The `image_id`, `study`, `series` and `patient_ids` of each; the last is null where the patients of the
            index are not those of its tags.

    Raises:
        IndexReadError: One of them has no study or series, or they are no UIDs.
    """
    found = []
    for image_id, study, series, people in rows:
        uids = (image_id.partition(CONFLICT)[0], study or "", series or "")
        if not all(uid.replace(".", "").isdecimal() for uid in uids):
            raise IndexReadError(
                "An image of the cohort has no valid study, series or instance UID, so an archive cannot be asked for "
                "it. Exclude such images in the spec: exists(study) and exists(series)."
            )
        found.append(Wanted(image_id, str(study), str(series), frozenset((people or "").split("\\")) - {""}))
    return sorted(found, key=lambda one: one.name)


def fetch(
    index: Index,
    wanted: Sequence[Wanted],
    archive: ImageArchive,
    *,
    folder: Path,
    budget: int | None = None,
    connections: int = 4,
    track: Callable[[Sequence[Wanted]], Iterable[Wanted]] = lambda wanted: wanted,
) -> FetchReport:
    """Fetch images, and let the index say where they are; those that are there already are not asked for again.

    Args:
        index: The index.
        wanted: The images.
        archive: The archive.
        folder: The folder for the files.
        budget: How many bytes the files in the folder may have in all; null for what the disk has.
        connections: How many files are asked for at once.
        track: Passes the images through, and shows the progress.

    Raises:
        ArchiveError: The archive fails or refuses. What was fetched stays, and the next fetch goes on.
        IndexReadError: Another fetch uses the folder, its manifest was damaged, or the index was changed.
    """
    refusal = IndexReadError(f"{folder}: another fetch writes to this folder. Wait until it has ended.")
    with locked(folder / "lock", refusal=refusal):
        run = _Fetch(archive, folder, budget, read_manifest(folder), FetchReport(folder, len(wanted)))
        try:
            run.recognise(wanted)
            run.all(track(wanted), connections)
        finally:
            run.save()
        bind(index.directory, folder, run.held)
    return run.report


def bind(directory: Path, folder: Path, held: dict[str, Fetched]) -> None:
    """Let the rows of an index say where files are, and `index.json` what the digests of their pixels are."""
    places = {image: ((folder.absolute() / one.name).as_posix(), one.size, one.mtime_ns) for image, one in held.items()}
    stated = {"folder": folder.absolute().as_posix(), "manifest": file_digest(folder / MANIFEST), "images": len(held)}
    relink(directory, places, further={"fetched": stated})


def read_manifest(folder: Path) -> dict[str, Fetched]:
    """Return the files of a folder of images by `image_id`.

    Raises:
        IndexReadError: The manifest is damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        rows = pq.read_table(path, schema=_SCHEMA).to_pylist()
    except (OSError, pa.ArrowException):
        raise IndexReadError(
            f"{path}: this list of fetched files is damaged. Delete it: files that are whole are not fetched again."
        ) from None
    return {row["image_id"]: Fetched(**row) for row in rows}


@dataclass
class _Fetch:
    archive: ImageArchive
    folder: Path
    budget: int | None
    held: dict[str, Fetched]
    report: FetchReport
    unsaved: int = 0

    def recognise(self, wanted: Iterable[Wanted]) -> None:
        """Take over what a killed fetch left, so that the budget counts it before more comes."""
        for one in wanted:
            if one.image_id not in self.held:
                self._is_there(one)

    def all(self, wanted: Iterable[Wanted], connections: int) -> None:
        """Fetch what is not there, some at once; results are taken in order."""
        used = sum(one.size for one in self.held.values())
        for one, content in self._ahead(wanted, connections):
            if content is None:
                self.report.present += 1
                self.report.bytes += self.held[one.image_id].size
                continue
            if self.report.left or used + len(content) > self._room(used):
                self.report.left += 1
                continue
            if self._store(one, content):
                used += len(content)

    def save(self) -> None:
        """Write the manifest, whole or not at all."""
        rows = [asdict(one) for one in self.held.values()]
        with staged_file(self.folder / MANIFEST) as aside:
            pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), aside, compression="zstd")
        self.unsaved = 0

    def _room(self, used: int) -> int:
        free = used + shutil.disk_usage(self.folder).free
        return free if self.budget is None else min(free, self.budget)

    def _ahead(self, wanted: Iterable[Wanted], connections: int) -> Iterator[tuple[Wanted, bytes | None]]:
        """Yield each image with its file; null if it is there, and not at all if the archive does not have it."""
        pending = deque[tuple[Wanted, "Future[bytes] | None"]]()
        pool = ThreadPoolExecutor(connections, thread_name_prefix="fetch")
        try:
            for one in wanted:
                if self.report.left:
                    self.report.left += 1
                    continue
                there = self._is_there(one)
                ask = None if there else pool.submit(self.archive.instance, one.study, one.series, one.uid)
                pending.append((one, ask))
                if len(pending) > connections * _AHEAD:
                    yield from self._result(*pending.popleft())
            while pending:
                yield from self._result(*pending.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _result(self, one: Wanted, ask: Future[bytes] | None) -> Iterator[tuple[Wanted, bytes | None]]:
        try:
            yield one, None if ask is None else ask.result()
        except RefusedError as error:
            if error.status not in (404, 410):
                raise
            self.report.missing += 1

    def _is_there(self, one: Wanted) -> bool:
        """Return whether the file is there, as it was fetched; a file that a killed fetch left is looked at."""
        path = self.folder / one.name
        if not path.is_file():
            return False
        known, stat = self.held.get(one.image_id), path.stat()
        if known is not None and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return known.is_of(one.people)
        entry, fault = _judged(path, one)
        if fault is not None or (known is not None and known.file_digest != entry.file_digest):
            return False
        self.held[one.image_id] = entry
        return True

    def _store(self, one: Wanted, content: bytes) -> bool:
        """Write a file aside, and put it into its place if it is the image; return whether it is."""
        path = self.folder / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.partial")  # a killed fetch leaves it, and the next overwrites it
        aside.write_bytes(content)
        entry, fault = _judged(aside, one)
        known = self.held.get(one.image_id)
        if fault is None and known is not None and known.pixel_digest != entry.pixel_digest:
            fault = OTHER_PIXELS
        if fault is not None:
            aside.unlink()
            self.report.faulty[fault] += 1
            return False
        aside.replace(path)
        self.held[one.image_id] = entry
        self.report.fetched += 1
        self.report.bytes += entry.size
        self.unsaved += 1
        if self.unsaved >= _A_MANIFEST:
            self.save()
        return True


def _judged(path: Path, one: Wanted) -> tuple[Fetched, str | None]:
    """Return what a file is, and its fault if it is not the image that was asked for, or not whole."""
    row, stat = settled(read_file(path)), path.stat()
    entry = Fetched(
        image_id=one.image_id,
        name=one.name,
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        file_digest=f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
        pixel_digest=pixel_digest(path),
        patient=_text(row.get("PatientID")),
        issuer=_text(row.get("issuer")),
        institution=_text(row.get("InstitutionName")),
    )
    code = row.get("fault")
    if isinstance(code, str) and not is_usable(code):
        return entry, code
    found = tuple(row.get(name) for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"))
    if found != (one.uid, one.study, one.series):
        return entry, OTHER_IMAGE
    return entry, None if entry.is_of(one.people) else OTHER_PATIENT


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
