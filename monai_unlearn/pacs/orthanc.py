"""What Orthanc tells beside DICOMweb: what has changed since a cursor, by its own REST interface."""

from __future__ import annotations

from dataclasses import dataclass
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
    """

    cursor: dict[str, int]
    studies: frozenset[str] | None = None


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
        new = self._new_instances(int(since["changes"]), cursor["changes"])
        if int(since["instances"]) + len(new) != cursor["instances"]:
            return Changes(cursor)
        return Changes(cursor, self._studies_of(new))

    def _new_instances(self, since: int, until: int) -> set[str]:
        """Return Orthanc's identifiers of the instances that it has received."""
        found = set[str]()
        while since < until:
            page = self._get(f"/changes?since={since}&limit={_A_PAGE}", name="GET /changes")
            if not page["Changes"]:
                break
            found |= {
                change["ID"]
                for change in page["Changes"]
                if change["ChangeType"] == "NewInstance" and change["Seq"] <= until
            }
            since = int(page["Last"])
        return found

    def _studies_of(self, instances: set[str]) -> frozenset[str] | None:
        """Return the studies of instances; null if one of them is gone already."""
        left, studies = set(instances), set[str]()
        while left:
            study = self._get(f"/instances/{next(iter(left))}/study", name="GET /instances/{id}/study", or_none=True)
            if study is None:
                return None
            studies.add(str(study["MainDicomTags"]["StudyInstanceUID"]))
            members = self._get(f"/studies/{study['ID']}/instances", name="GET /studies/{id}/instances", or_none=True)
            before = len(left)
            left -= {str(member["ID"]) for member in members or ()}
            if len(left) == before:
                return None
        return frozenset(studies)

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
