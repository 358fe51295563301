"""An archive in memory, for pulls: it has images, and may lose, change or refuse them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from dicom_json import Studies
from small_server import Asked

from monai_unlearn.errors import ArchiveError
from monai_unlearn.index.sources.archive import Asked as AskedFor
from monai_unlearn.pacs.items import STUDY, text


@dataclass
class FakeArchive:
    """Answers from a list of DICOM JSON images.

    Attributes:
        images: The metadata of its images.
        refuses: Studies whose metadata it does not return.
        asked_for: The studies whose metadata was asked for.
        changed: What it says has changed; null for a server that does not say.
        how: How it says so.
        new: The studies that it says have received instances.
    """

    images: list[dict]
    refuses: set[str] = field(default_factory=set)
    asked_for: list[str] = field(default_factory=list)
    changed: frozenset[str] | None = None
    how: str = "all"
    since: object = None
    cursors: list[object] = field(default_factory=list)
    new: dict[str, int] = field(default_factory=dict)
    name = "https://pacs/dicom-web"
    server = "pacs"
    tells_pixels = True

    def asked(self, cursor):
        self.cursors.append(cursor)
        known = cursor is not None
        return AskedFor(
            self.how if known else "all",
            {"day": "2020-01-01"},
            self.changed if known else None,
            self.since if known else None,
            self.new if known else {},
        )

    def studies(self, query):
        days = "-".join(f"{day:%Y%m%d}" if day else "" for day in (query.first, query.last))
        found = Studies(self.images)(Asked("GET", f"/studies?StudyDate={days}", {})).content
        yield from (study for study in json.loads(found or b"[]") if query.matches(study))

    def study(self, uid):
        found = Studies(self.images)(Asked("GET", f"/studies?StudyInstanceUID={uid}", {})).content
        return json.loads(found or b"[]")

    def metadata(self, study, *, expected):
        assert expected == len([one for one in self.images if text(one, STUDY) == study])
        self.asked_for.append(study)
        if study in self.refuses:
            raise ArchiveError("pacs: GET studies/{study}/metadata was answered with 503.")
        found = [one for one in self.images if text(one, STUDY) == study]
        return found or None

    def traffic(self):
        return {"requests": len(self.asked_for), "bytes": 0}
