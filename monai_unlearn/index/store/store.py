"""Reading an index: a folder of `index.json` and Parquet parts, one row per image."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.index.plausible import latest_plausible
from monai_unlearn.index.store.check_files import FileCheck, check_files, other_content, remedy
from monai_unlearn.index.store.seal import SEAL, seal_of
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

SCHEMA_VERSION = 4
DOCUMENT = "index.json"
PARTS = "parts"


@dataclass(frozen=True)
class Index:
    r"""An opened index: its columns, its counts, and where its rows are.

    Here an index is made from a table; `monai-unlearn index build` makes one from image files.

    >>> import shutil, tempfile
    >>> from pathlib import Path
    >>> from monai_unlearn.index.tables.from_table import TableRequest, index_table
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "exams.csv").write_text("id,PatientID,PatientAge\na,P1,045Y\nb,P2,\n", encoding="utf-8")
    >>> _ = index_table(TableRequest(table=folder / "exams.csv", id_column="id", out=folder / "index"))
    >>> index = Index.open(folder / "index")
    >>> index.images, index.columns["PatientAge"].value
    (2, 'age')
    >>> index.frame(["image_id", "patient", "PatientAge"])
      image_id patient  PatientAge
    0        a      P1        45.0
    1        b      P2        <NA>
    >>> shutil.rmtree(folder)

    Attributes:
        directory: The folder of `index.json`.
        digest: `sha256:…` over the rows' content, independent of where the files are.
        columns: Each column with the kind of its values.
        label: The column that contains the class, if there is one.
        parts: The Parquet files, in order.
        images: The number of rows that are usable images.
        rows: The number of rows, faulty ones included.
        units: The unit of each column that declares one, as pint or UCUM spell it: `mm`, `ml`.
        origins: Where the values of a column come from, for columns that are not read from the files' own tags.
        pseudonyms: The fingerprint of the key whose pseudonyms are in place of identifiers; null without pseudonyms.
        patient_from: What names the patients: tags, a column of a table, or both, joined by `, `; null for none.
        built: The day on which the index was built; null if it is not known.
        dates_shifted: Whether nearly all dates lie after that day, because de-identification shifted them.
        tags: The columns that are DICOM tags beyond those of the vocabulary, of which an image may have several values.
        checked: How the parts were compared with their digests when the index was opened.
    """

    directory: Path
    digest: str
    columns: Mapping[str, Kind]
    label: str | None
    parts: tuple[Path, ...]
    images: int
    rows: int
    units: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    pseudonyms: str | None = None
    patient_from: str | None = None
    built: dt.date | None = None
    dates_shifted: bool = False
    tags: frozenset[str] = frozenset()
    checked: FileCheck = field(default_factory=FileCheck, compare=False, repr=False)

    @property
    def latest_plausible(self) -> dt.date:
        """The last day that a date of this index can have; a later date is implausible."""
        return latest_plausible(self.built, are_shifted=self.dates_shifted)

    @classmethod
    def open(cls, directory: Path | str, *, trust: bool = False) -> Index:
        """Open the index in a folder; its parts must be those that it was written with.

        Args:
            directory: The folder.
            trust: Do not compare the parts with their digests: for archives where reading all parts takes too long,
                and where other means tell whether they changed.

        Raises:
            IndexReadError: The folder, its `index.json` or a part is missing or was changed, or the index has another
                version.
        """
        directory = Path(directory)
        document = read_document(directory)
        try:
            digests = {inside(directory, part): str(document["digests"][part]) for part in document["parts"]}
            index = cls(
                directory=directory,
                digest=document["digest"],
                columns={name: Kind(kind) for name, kind in document["columns"].items()},
                label=document["label"],
                parts=tuple(digests),
                images=document["images"],
                rows=document["rows"],
                units={str(name): str(unit) for name, unit in document.get("units", {}).items()},
                origins={str(name): str(origin) for name, origin in document.get("origins", {}).items()},
                pseudonyms=_text_or_null(document.get("pseudonyms")),
                patient_from=_text_or_null(document.get("patient_from")),
                built=dt.date.fromisoformat(document["built"]) if document.get("built") else None,
                dates_shifted=bool(document.get("dates_shifted")),
                tags=frozenset(map(str, document.get("tags", ()))),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise IndexReadError(
                f"{directory / DOCUMENT}: expected the document of an index, got other content. {remedy(directory)}"
            ) from None
        for part in index.parts:
            if not part.is_file():
                raise IndexReadError(f"{part}: this part of the index is missing. {remedy(directory)}")
        return index if trust else replace(index, checked=check_files(directory, digests))

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows, faulty ones included, sorted by path.

        Text is pandas' `string`, numbers and ages `Float64`, file sizes and times `Int64`, dates are Python dates in
        an `object` column, datetimes `datetime64[us]`; a missing value is null in each.

        Args:
            columns: The columns to return, in this order; null for all.

        Raises:
            IndexReadError: A column is not in the index, or a part cannot be read or was changed since.
        """
        self.checked.refuse_changes(self.directory)
        for name in columns or ():
            if name not in self.columns:
                raise IndexReadError(
                    f"{self.directory}: the index has no column '{name}'.{did_you_mean(name, self.columns)}"
                )
        names = list(self.columns if columns is None else columns)
        try:
            table = pa.concat_tables([pq.read_table(part, columns=names) for part in self.parts])
        except (OSError, pa.ArrowException):
            raise IndexReadError(
                f"{self.directory}: a part of the index cannot be read. {remedy(self.directory)}"
            ) from None
        from monai_unlearn.index.store.pandas_types import PANDAS_TYPES

        frame: pd.DataFrame = table.select(names).to_pandas(types_mapper=PANDAS_TYPES.get)
        return frame


def read_document(directory: Path) -> dict[str, Any]:
    """Read the `index.json` of a folder, and check its version and its digest.

    Raises:
        IndexReadError: The folder or the document is missing, or the document is not JSON, has another version or was
            changed.
    """
    document = read_json(directory)
    if document.get(SEAL) != (found := seal_of(document)):
        stated = str(document.get(SEAL))
        raise IndexReadError(other_content(directory / DOCUMENT, expected=stated, got=found, directory=directory))
    return document


def read_json(directory: Path) -> dict[str, Any]:
    """Read the `index.json` of a folder, and check its version only.

    Raises:
        IndexReadError: The folder or the document is missing, or the document is not JSON or has another version.
    """
    path = directory / DOCUMENT
    if not directory.is_dir():
        raise IndexReadError(f"{directory}: there is no such folder. {remedy(directory)}")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise IndexReadError(f"{directory}: this folder contains no {DOCUMENT}. {remedy(directory)}") from None
    except OSError as error:
        raise IndexReadError(f"{path}: cannot be read ({error.strerror}). {remedy(directory)}") from None
    except ValueError:  # not JSON, or not UTF-8
        raise IndexReadError(f"{path}: expected JSON, got other content. {remedy(directory)}") from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(document, dict) or version != SCHEMA_VERSION:
        raise IndexReadError(
            f"{path}: expected an index of schema version {SCHEMA_VERSION}, got {version!r}. {remedy(directory)}"
        )
    return document


def _text_or_null(value: object) -> str | None:
    return None if value is None else str(value)


def inside(directory: Path, part: str) -> Path:
    """Return the path of a file of an index.

    Raises:
        ValueError: The path leaves the index.
    """
    relative = PurePosixPath(part)
    if relative.is_absolute() or ".." in relative.parts:
        raise ValueError(part)
    return directory / relative
