"""What Orthanc tells beside DICOMweb: what has changed since a cursor, by its own REST interface."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monai_unlearn.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.pacs.web import Web

_A_PAGE = 1000
# More changes than this are slower to look up one by one than to list all studies.
_MOST_CHANGES = 5000


@dataclass(frozen=True)
class Changes:
    """What has changed.

    Attributes:
        cursor: Where the next question begins.
        studies: The StudyInstanceUIDs that may have changed; null if all must be looked at.
        new: The studies that have received instances since, each with its last such change. Nothing else need show
            that they have: as many instances may have been deleted.
    """

    cursor: dict[str, int]
    studies: frozenset[str] | None = None
    new: Mapping[str, int] = field(default_factory=dict)


class Orthanc:
    """Orthanc's own interface.

    Args:
        web: What sends the requests to its DICOMweb services.
    """

    def __init__(self, web: Web) -> None:
        self._web = web
        parts = urlsplit(web.access.url)
        # The services stand below a root of Orthanc's choice, usually /dicom-web, of the same server.
        self._root = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').rpartition('/')[0]}"

    def is_there(self) -> bool:
        """Return whether the server is an Orthanc whose own interface may be asked."""
        try:
            found = self._get("/system", name="GET /system")
        except ArchiveError:
            return False
        return isinstance(found, dict) and {"ApiVersion", "DatabaseVersion", "DicomAet"} <= set(found)

    def changes(self, since: Mapping[str, Any] | None) -> Changes:
        """Return what has changed.

        Deletions are not among Orthanc's changes, but in its number of instances.

        Args:
            since: The cursor of an earlier answer; null if there is none.

        Raises:
            ArchiveError: The server fails or refuses.
        """
        last = self._get("/changes?last", name="GET /changes")["Last"]
        instances = self._get("/statistics", name="GET /statistics")["CountInstances"]
        cursor = {"changes": int(last), "instances": int(instances)}
        if since is None or not {"changes", "instances"} <= set(since):
            return Changes(cursor)
        if cursor == dict(since):
            return Changes(cursor, frozenset())
        if not since["changes"] <= cursor["changes"] <= since["changes"] + _MOST_CHANGES:
            return Changes(cursor)
        instances_of = self._new_instances(int(since["changes"]), cursor["changes"])
        new, is_whole = self._studies_of(instances_of)
        is_added = int(since["instances"]) + len(instances_of) == cursor["instances"]
        return Changes(cursor, frozenset(new) if is_whole and is_added else None, new)

    def _new_instances(self, since: int, until: int) -> dict[str, int]:
        """Return Orthanc's identifiers of the instances that it has received, each with the last change."""
        found = dict[str, int]()
        while since < until:
            page = self._get(f"/changes?since={since}&limit={_A_PAGE}", name="GET /changes")
            if not page["Changes"]:
                break
            found |= {
                str(change["ID"]): int(change["Seq"])
                for change in page["Changes"]
                if change["ChangeType"] == "NewInstance" and change["Seq"] <= until
            }
            since = int(page["Last"])
        return found

    def _studies_of(self, instances: Mapping[str, int]) -> tuple[dict[str, int], bool]:
        """Return the studies of instances, each with its last change, and whether all of the instances are there."""
        left, studies, is_whole = set(instances), dict[str, int](), True
        while left:
            one = next(iter(left))
            study = self._get(f"/instances/{one}/study", name="GET /instances/{id}/study", or_none=True)
            members = None
            if study is not None:
                path = f"/studies/{study['ID']}/instances"
                members = self._get(path, name="GET /studies/{id}/instances", or_none=True)
            here = left & {str(member["ID"]) for member in members or ()}
            if study is not None and here:
                studies[str(study["MainDicomTags"]["StudyInstanceUID"])] = max(map(instances.__getitem__, here))
            is_whole = is_whole and one in here
            left -= here | {one}
        return studies, is_whole

    def _get(self, path: str, *, name: str, or_none: bool = False) -> Any:  # noqa: ANN401 - JSON
        from monai_unlearn.pacs.web import RefusedError

        try:
            return self._web.json(f"{self._root}{path}", name=name, check=_wrong)[0]
        except RefusedError:
            if or_none:
                return None
            raise


def _wrong(document: object) -> str | None:
    return None if isinstance(document, dict | list) else "was answered with other JSON than Orthanc's"
