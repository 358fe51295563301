"""From the metadata of a study's instances to rows that may be stored: with pseudonyms, without what is dropped."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import pyarrow as pa

from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.readers.identity import settled, without_birth_dates
from monai_unlearn.index.readers.row import EXTRA_TAGS
from monai_unlearn.index.scan.extra_tags import stored
from monai_unlearn.index.sources.json_row import names_pixels, row_of, texts_of
from monai_unlearn.index.sources.pulled import path_of
from monai_unlearn.index.usable import is_usable
from monai_unlearn.pacs.items import INSTANCE, MODALITY, SERIES, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monai_unlearn.index.readers import Row
    from monai_unlearn.index.scan.options import ScanOptions
    from monai_unlearn.index.sources.archive import Item
    from monai_unlearn.index.sources.study_list import Study


@dataclass(frozen=True)
class StudyRows:
    """Makes rows of metadata.

    Attributes:
        options: What the user asks for.
        modalities: Only images of these are rows; all if empty.
        tells_pixels: Returns whether the metadata of an image with pixels names them; asked only for one that does not.
    """

    options: ScanOptions
    modalities: frozenset[str] = frozenset()
    tells_pixels: Callable[[], bool] = lambda: True

    def of(self, study: Study, items: Sequence[Item]) -> list[Row]:
        """Return the rows of a study, sorted by path; `table` makes of them what may be stored.

        Args:
            study: The study.
            items: The metadata of its instances.
        """
        if self.modalities:
            items = [item for item in items if text(item, MODALITY) in self.modalities]
        return sorted((self._row(study, item) for item in items), key=itemgetter("path"))

    def unusable(self, study: Study) -> list[Row]:
        """Return the row of a study without a valid identifier, whose images nobody can ask for: its fault."""
        code = Fault.INVALID_STUDY_UID.code
        return [{**settled({"fault": code, "faults": code}), "path": path_of(study.key, None, "-")}]

    def table(self, rows: Sequence[Row]) -> pa.Table:
        """Return rows as they may be stored: with pseudonyms, without what is dropped.

        Args:
            rows: The rows of some studies: a table of many takes hardly longer than one of few.
        """
        columns = [[row.get(name) for row in rows] for name in schema().names]
        table = pa.table(columns, schema=schema())
        pseudonyms = self.options.pseudonyms
        kept = self.options.decisions.without_dropped(table)
        return without_birth_dates(kept) if pseudonyms is None else pseudonyms.rows(kept)

    def _row(self, study: Study, item: Item) -> Row:
        row = row_of(item, tells_pixels=names_pixels(item) or self.tells_pixels())
        row["path"] = path_of(study.key, text(item, SERIES), str(text(item, INSTANCE)))
        dropped = self.options.decisions.drop
        tags = [tag for tag in self.options.extra_tags.tags if tag not in dropped]
        code = row.get("fault")
        if tags and is_usable(code if isinstance(code, str) else None):
            row[EXTRA_TAGS] = stored(texts_of(item, tags), self.options.pseudonyms)
        return row
