"""The reading side of an index: a folder of `index.json` and Parquet parts, one row an image."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.errors import IndexReadError, did_you_mean
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA_VERSION = 1
DOCUMENT = "index.json"
PARTS = "parts"

# Each of these has a null of its own, so that a missing value never becomes NaN, or a number a float.
PANDAS_TYPES = {pa.string(): pd.StringDtype(), pa.float64(): pd.Float64Dtype(), pa.int64(): pd.Int64Dtype()}


@dataclass(frozen=True)
class Index:
    """An index on disk, opened: what it holds, and where its rows are.

    Attributes:
        directory: The folder of `index.json`.
        digest: `sha256:…` over the rows' content; the same wherever the files lie.
        columns: Each column with the kind of its values.
        label: The column that carries the class, where there is one.
        parts: The Parquet files, in order.
        images: How many rows are usable images.
        rows: How many rows there are, faulty ones included.
        units: The unit of each column that declares one, as pint or UCUM spell it: `mm`, `ml`.
        origins: Where a column's values come from, for those that no file's own tags gave.
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

    @classmethod
    def open(cls, directory: Path | str) -> Index:
        """Open the index in a folder.

        Raises:
            IndexReadError: The folder, its `index.json` or a part is missing, or of another version.
        """
        directory = Path(directory)
        document = read_document(directory)
        try:
            index = cls(
                directory=directory,
                digest=document["digest"],
                columns={name: Kind(kind) for name, kind in document["columns"].items()},
                label=document["label"],
                parts=tuple(_inside(directory, part) for part in document["parts"]),
                images=document["images"],
                rows=document["rows"],
                units={str(name): str(unit) for name, unit in document.get("units", {}).items()},
                origins={str(name): str(origin) for name, origin in document.get("origins", {}).items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise IndexReadError(
                f"{directory / DOCUMENT}: expected the document of an index, got other content. {_remedy(directory)}"
            ) from None
        for part in index.parts:
            if not part.is_file():
                raise IndexReadError(f"{part}: this part of the index is missing. {_remedy(directory)}")
        return index

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows, faulty ones included, sorted by path.

        Text is pandas' `string`, numbers and ages `Float64`, sizes and times of files `Int64`, dates Python
        dates in an `object` column, datetimes `datetime64[us]`; a missing value is null in each.

        Args:
            columns: Which columns, in this order; all where none are named.

        Raises:
            IndexReadError: A column is not in the index, or a part cannot be read.
        """
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
                f"{self.directory}: a part of the index cannot be read. {_remedy(self.directory)}"
            ) from None
        frame: pd.DataFrame = table.select(names).to_pandas(types_mapper=PANDAS_TYPES.get)
        return frame


def read_document(directory: Path) -> dict[str, Any]:
    """Read `index.json` of a folder, and check that it is of this version.

    Raises:
        IndexReadError: The folder or the document is missing, is not JSON, or is of another version.
    """
    path = directory / DOCUMENT
    if not directory.is_dir():
        raise IndexReadError(f"{directory}: there is no such folder. {_remedy(directory)}")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise IndexReadError(f"{directory}: this folder holds no {DOCUMENT}. {_remedy(directory)}") from None
    except OSError as error:
        raise IndexReadError(f"{path}: cannot be read ({error.strerror}). {_remedy(directory)}") from None
    except ValueError:  # not JSON, or not UTF-8
        raise IndexReadError(f"{path}: expected JSON, got other content. {_remedy(directory)}") from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(document, dict) or version != SCHEMA_VERSION:
        raise IndexReadError(
            f"{path}: expected an index of schema version {SCHEMA_VERSION}, got {version!r}. {_remedy(directory)}"
        )
    return document


def _inside(directory: Path, part: str) -> Path:
    """Return a part's path; one that leads out of the index is refused as malformed."""
    relative = PurePosixPath(part)
    if relative.is_absolute() or ".." in relative.parts:
        raise ValueError(part)
    return directory / relative


def _remedy(directory: Path) -> str:
    return f"Build it with: monai-unlearn index build SOURCE --out {directory}"
