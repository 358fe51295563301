"""Pulling an index from an image archive: list the studies, ask for the metadata of those that changed, and compose."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ArchiveError, IndexReadError
from monai_unlearn.index.assemble import collect
from monai_unlearn.index.compose import Composition, check_decisions
from monai_unlearn.index.duplicates import find_duplicates
from monai_unlearn.index.fetch.bind import bind, bound_folder
from monai_unlearn.index.fetch.manifest import read_manifest
from monai_unlearn.index.identities import identities_of
from monai_unlearn.index.measures.labels import MaskLabels
from monai_unlearn.index.scan.decisions import PATH
from monai_unlearn.index.scan.extra_tags import FoundTags
from monai_unlearn.index.scan.plan import FileCounts
from monai_unlearn.index.scan.workspace import Workspace
from monai_unlearn.index.sources.pull_rows import PullCounts, PullRows, listed
from monai_unlearn.index.sources.pulled import Pulled, in_order, write_studies
from monai_unlearn.index.sources.study_list import Study, studies_of
from monai_unlearn.index.sources.study_rows import StudyRows
from monai_unlearn.index.store.digest import engine
from monai_unlearn.index.store.part_writer import named_by_content
from monai_unlearn.index.store.write import check_target
from monai_unlearn.pacs.study_query import StudyQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from monai_unlearn.index.build_report import BuildReport
    from monai_unlearn.index.build_request import BuildRequest
    from monai_unlearn.index.readers import Row
    from monai_unlearn.index.sources.archive import Archive, Asked, Item

    TrackStudies = Callable[[list[Study]], Iterable[Study]]


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """What to pull, and how.

    Attributes:
        build: The index: its folder, its tables, how rows are made. It has no sources.
        query: Which studies.
        check: Whether everything is asked for again, to notice what was deleted or changed silently.
        connections: How many studies are asked for at once.
    """

    build: BuildRequest
    query: StudyQuery = field(default_factory=StudyQuery)
    check: bool = False
    connections: int = 8


@dataclass(frozen=True)
class PullReport:
    """What a pull did.

    Attributes:
        build: What it did as a build of an index.
        archive: The address of the archive.
        looked_at: Which studies were looked at: `all`, `changes` or `window`.
        counts: How studies and images compare with those of the last pull.
        traffic: How many `requests` were sent, and how many `bytes` received.
        seconds: How long it took to `list` studies, to `read` their metadata, and to `write` the index.
    """

    build: BuildReport
    archive: str
    looked_at: str
    counts: PullCounts
    traffic: Mapping[str, int]
    seconds: Mapping[str, float]

    def without_paths(self) -> PullReport:
        """Return this with handles in place of the paths of images, which consist of identifiers."""
        return replace(self, build=self.build.without_paths())

    def document(self) -> dict[str, Any]:
        """Return this as a JSON-serialisable dict."""
        studies = {name: self.counts.studies[name] for name in ("read", "resumed", "reused", "vanished")}
        return {
            **self.build.document(),
            "archive": self.archive,
            "looked_at": self.looked_at,
            "studies": studies,
            "identities_changed": self.counts.identities,
            **self.traffic,
            "seconds": dict(self.seconds),
        }


def pull(request: PullRequest, archive: Archive, *, track: TrackStudies) -> PullReport:
    """Build an index from the metadata of an archive; only studies that changed since the last pull are asked for.

    Args:
        request: What to pull, and how.
        archive: The archive.
        track: Passes the studies through, and shows the progress.

    Raises:
        ArchiveError: The archive fails, refuses, or returns part of what it has. What was pulled is kept for the next.
        IndexReadError: The index cannot be written, or no image is found. Nothing is written then.
    """
    build = _with_paths(request.build)
    check_target(build.out)
    check_decisions(build)
    with Workspace(build.out, mark := _mark(request, archive), worth_keeping=1) as space:
        clock = _Clock()
        before = Pulled.of(build.out, mark)
        asked = archive.asked(None if before is None or request.check else before.cursor)
        studies, vanished = _list(request, archive, asked, before)
        clock.stop("list")
        made = StudyRows(build.scan, frozenset(request.query.modalities), tells_pixels=lambda: archive.tells_pixels)
        rows = PullRows(
            _fetching(archive, made),
            made.table,
            space,
            connections=request.connections,
            checked=build.built if request.check else None,
        )
        rows.counts.studies["vanished"] += vanished
        tags = FoundTags()
        with closing(rows.batches(track(studies), before)) as batches:
            pairs = tags.noting(((listed(table), table) for table in batches), build.scan.extra_tags)
            collected = collect(
                pairs,
                files=space.stage / "files.parquet",
                ids=space.folder / "ids.parquet",
                mark=mark,
                derived=build.include_derived,
                built=build.built,
            )
        clock.stop("read")
        if not collected.usable:
            raise IndexReadError(
                f"{archive.server}: {'none of the objects found is an image' if collected.rows else 'no image found'}. "
                "Check --modality, --from, --to and the address. Nothing was written."
            )
        further = {"pulled": _pulled(request, archive, asked), "studies": _store_studies(space, rows.fingerprints)}
        with engine(space.folder) as connection:
            identities = identities_of(connection, collected, build.patient_key)
            duplicates = find_duplicates(connection, collected, build.patient_key)
            counts = _file_counts(rows.counts)
            composition = Composition(build, 0, collected, counts, identities, tags, further=further)
            linked = bound_folder(build.out)
            done = composition.finish(space, duplicates, MaskLabels(), _untracked, connection=connection)
    if linked is not None:
        bind(build.out, linked, read_manifest(linked))
    clock.stop("write")
    return PullReport(done, archive.name, asked.how, rows.counts, archive.traffic(), clock.seconds)


@dataclass
class _Clock:
    """How long each step took."""

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def stop(self, step: str) -> None:
        now = time.perf_counter()
        self.seconds[step], self._last = round(now - self._last, 3), now


def _with_paths(build: BuildRequest) -> BuildRequest:
    """Return a request that keeps paths unless the user drops them: here they consist of UIDs, and name nobody."""
    scan, decisions = build.scan, build.scan.decisions
    if scan.pseudonyms is None or PATH in decisions.drop:
        return build
    return replace(build, scan=replace(scan, decisions=replace(decisions, keep=decisions.keep | {PATH})))


def _mark(request: PullRequest, archive: Archive) -> dict[str, str]:
    """Return what rows depend on; only rows with the same mark are reused."""
    return {**request.build.scan.mark, "archive": archive.name, "query": str(request.query.document())}


def _list(request: PullRequest, archive: Archive, asked: Asked, before: Pulled | None) -> tuple[list[Study], int]:
    """Return the studies in the order of their rows, and how many of the last pull are gone."""
    known = {} if before is None else before.studies
    found = studies_of(_found(request.query, archive, asked), request.build.scan.pseudonyms)
    # Those that were not asked about are as they were.
    is_whole = asked.studies is None and asked.since is None
    kept = {} if is_whole else {key: Study(key, None, print_) for key, print_ in known.items() if key not in found}
    if is_whole and known and not found:
        raise ArchiveError(
            f"{archive.server}: the archive lists none of the {len(known)} studies that the index has. If they "
            "were deleted, pull into a new folder; otherwise check the address and the account."
        )
    if found and not kept and not any(one.is_valid for one in found.values()):
        raise ArchiveError(
            f"{archive.server}: no study that the archive lists has a StudyInstanceUID that is a UID. The server does "
            "not follow DICOM PS3.18 table 10.6.3-3; ask who runs it."
        )
    found = {key: replace(one, change=_change(asked, one)) for key, one in found.items()}
    gone = known.keys() - found.keys() - kept.keys()
    return sorted([*kept.values(), *found.values()], key=lambda study: in_order(study.key)), len(gone)


def _change(asked: Asked, study: Study) -> str:
    """Return what tells the last change of a study that the archive knows to have changed; else an empty text."""
    number = asked.new.get(study.uid or "")
    return "" if number is None else f"+{number}"


def _found(query: StudyQuery, archive: Archive, asked: Asked) -> Iterator[Item]:
    """Yield the studies of a query that may have changed."""
    if asked.studies is not None:
        for uid in sorted(asked.studies):
            yield from (study for study in archive.study(uid) if query.matches(study))
        return
    days = [day for day in (query.first, asked.since) if day is not None]
    if query.last is None or not days or max(days) <= query.last:
        yield from archive.studies(replace(query, first=max(days, default=None)))


def _fetching(archive: Archive, rows: StudyRows) -> Callable[[Study], list[Row] | None]:
    def fetch(study: Study) -> list[Row] | None:
        if not study.is_valid:
            return rows.unusable(study)
        items = archive.metadata(str(study.uid), expected=study.instances)
        return None if items is None else rows.of(study, items)

    return fetch


def _store_studies(space: Workspace, fingerprints: Mapping[str, str]) -> str:
    path = space.stage / "studies.parquet"
    write_studies(path, fingerprints)
    return named_by_content(path, space.stage)


def _pulled(request: PullRequest, archive: Archive, asked: Asked) -> dict[str, Any]:
    return {"archive": archive.name, "query": request.query.document(), "cursor": dict(asked.cursor)}


def _file_counts(counts: PullCounts) -> FileCounts:
    images = counts.images
    return FileCounts(**{name: images[name] for name in ("reused", "added", "changed", "vanished", "resumed")})


def _untracked(files: Iterable[Any]) -> Iterator[Any]:
    return iter(files)
