"""Images that are fetched when they are first used: the index says where they will be, and how they come.

Several processes of one run may ask at once; they wait for each other. Nothing is ever removed: a budget that is used
up is an error, and what was fetched stays for the next run.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from monai_unlearn.errors import ArchiveError, IndexReadError
from monai_unlearn.index.fetch.archive import ImageSource
from monai_unlearn.index.fetch.bind import bind, fetched_of
from monai_unlearn.index.fetch.fetch import Files
from monai_unlearn.index.fetch.manifest import Fetched, read_manifest
from monai_unlearn.index.fetch.report import FetchReport
from monai_unlearn.index.fetch.wanted import Wanted, people_of, wanted_of
from monai_unlearn.locks import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from monai_unlearn.index.store.store import Index

_LOCK = ".on-demand.lock"


def link(
    index: Index, wanted: Sequence[Wanted], source: ImageSource, *, folder: Path, budget: int | None = None
) -> FetchReport:
    """Let an index say where images will be, which are fetched when they are first used; nothing is fetched now.

    Args:
        index: The index.
        wanted: The images.
        source: Where they come from.
        folder: The folder for the files.
        budget: How many bytes the files in the folder may have in all; null for what the disk has.

    Raises:
        IndexReadError: Another fetch uses the folder, its manifest was damaged, or the index was changed.
    """
    with _alone(folder):
        report = FetchReport(folder, len(wanted))
        files = Files(None, folder, budget, read_manifest(folder), report)
        there = [one for one in wanted if files.is_there(one)]
        files.save()
        known = {one.image_id for one in there}
        later = [one for one in wanted if one.image_id not in known]
        report.present, report.on_demand = len(there), len(later)
        report.bytes = sum(files.held[one.image_id].size for one in there)
        how = {**source.document(), "budget_bytes": budget}
        bind(
            index.directory,
            folder,
            {one.image_id: files.held[one.image_id] for one in there},
            later=later,
            on_demand=how,
        )
    return report


@dataclass
class OnDemand:
    """What brings the images of an index when they are first used. It may be sent to another process.

    Attributes:
        index: The index.
        folder: The folder of images.
        source: Where they come from.
        budget: How many bytes the files may have in all; null for what the disk has.
    """

    index: Index
    folder: Path
    source: ImageSource
    budget: int | None = None
    _wanted: dict[str, Wanted] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, index: Index) -> OnDemand | None:
        """Return what brings the images of an index; null where they are not fetched on demand.

        Raises:
            IndexReadError: The index says it in another form.
        """
        stated = fetched_of(index.directory)
        how = stated.get("on_demand")
        if how is None:
            return None
        try:
            given = {**how}
            budget = given.pop("budget_bytes")
            return cls(index, Path(str(stated["folder"])), ImageSource(**given), budget)
        except (KeyError, TypeError):
            raise IndexReadError(
                f"{index.directory}: how images come on demand is not as `index fetch --on-demand` writes it. Run it "
                "again."
            ) from None

    def known(self) -> dict[str, Fetched]:
        """Return the files that were fetched so far, by `image_id`.

        Raises:
            IndexReadError: The manifest is damaged.
        """
        return read_manifest(self.folder)

    def bring(
        self,
        images: Iterable[str],
        *,
        track: Callable[[Sequence[Wanted]], Iterable[Wanted]] = lambda wanted: wanted,
    ) -> dict[str, Fetched]:
        """Fetch those of some images that are not there, and return what each is, by `image_id`.

        Args:
            images: The `image_id` of each; those that come from elsewhere are left out.
            track: Passes the images through, and shows the progress.

        Raises:
            ArchiveError: The archive fails or refuses, no longer has an image, or has another in its place; or the
                budget is used up. What was fetched stays.
            IndexReadError: `index fetch` uses the folder, or its manifest was damaged.
        """
        wanted = [one for one in map(self._all().get, images) if one is not None]
        if not wanted:
            return {}
        with _alone(self.folder):
            report = FetchReport(self.folder, len(wanted))
            held = read_manifest(self.folder)
            if all((self.folder / one.name).is_file() and one.image_id in held for one in wanted):
                return {one.image_id: held[one.image_id] for one in wanted}
            with self.source.opened() as archive:
                files = Files(archive, self.folder, self.budget, held, report)
                try:
                    files.all(track(wanted), self.source.connections)
                finally:
                    files.save()
        self._check(report)
        return {one.image_id: files.held[one.image_id] for one in wanted}

    def _all(self) -> dict[str, Wanted]:
        """Return the images whose rows say that they are in the folder."""
        if not self._wanted:
            people = people_of(self.index)
            frame = self.index.frame(["image_id", "study", "series", "path"])
            here = frame["path"].fillna("").str.startswith(f"{self.folder.absolute().as_posix()}/")
            rows = frame[here][["image_id", "study", "series"]].itertuples(index=False, name=None)
            self._wanted = {one.image_id: one for one in wanted_of((*row, people.get(row[0])) for row in rows)}
        return self._wanted

    def _check(self, report: FetchReport) -> None:
        if report.is_whole:
            return
        if report.left:
            raise ArchiveError(
                f"{self.folder}: no room for {report.left} of {report.wanted} images that are used now: the files take "
                f"the {self.budget or 'free'} bytes that they may. Run `monai-unlearn index fetch --on-demand` again "
                "with a larger --budget-bytes, or free space; what was fetched stays."
            )
        faulty = ", ".join(f"{count} {fault}" for fault, count in sorted(report.faulty.items()))
        raise ArchiveError(
            f"{self.source.address}: of {report.wanted} images that are used now, the archive no longer has "
            f"{report.missing}, and of these it has other files than the index says: {faulty or 'none'}. Pull the "
            "index again, and fetch."
        )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder of images; other processes that fetch on demand are waited for, `index fetch` is not."""
    folder.mkdir(parents=True, exist_ok=True)
    refusal = IndexReadError(f"{folder}: another fetch writes to this folder. Wait until it has ended.")
    with FileLock(folder / _LOCK), locked(folder / "lock", refusal=refusal):
        yield
