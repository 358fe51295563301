"""The members of a cohort, image by image: what `cohort_members.parquet` holds."""

from __future__ import annotations

import hashlib
import io
from inspect import signature
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monai_unlearn.cohort.query.stored import stored
from monai_unlearn.errors import CohortError
from monai_unlearn.index.store.schema import PIXEL_DIGEST
from monai_unlearn.vocabulary.parts import PARTS, SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.cohort.query.answers import Mask
    from monai_unlearn.cohort.resolve.cohort import Cohort
    from monai_unlearn.cohort.resolve.split import SplitRule

SCHEMA = pa.schema([("image_id", pa.string()), ("part", pa.string()), ("split", pa.string())])
MAX_BYTES = 4 * 1024**3
_PAGE = 1024**3
# Newer PyArrow also ends a page after 20,000 rows.
_LONG_PAGES = {"max_rows_per_page": 1024**2} if "max_rows_per_page" in signature(pq.write_table).parameters else {}
_REMEDY = "Freeze the cohort again with: monai-unlearn cohort freeze SPEC --index DIR --out DIR"


def members_of(cohort: Cohort, rule: SplitRule) -> pa.Table:
    """Return the images of a cohort with their part and split, ordered by part, split and identifier.

    Args:
        cohort: The cohort.
        rule: How patients are assigned to splits.

    Raises:
        DataError: A `split` column of the index cannot be used.
        IndexReadError: The index cannot be read.
    """
    part = np.full(len(cohort.answers.readable), -1, dtype=np.int8)
    for number, (_, mask) in enumerate(cohort.membership.items()):
        part[mask] = number
    rows = part >= 0
    image = cohort.answers.image
    images = image.texts.take(pa.array(image.codes[rows]))
    return _sorted(images, part[rows], _splits(cohort, rule, images, rows))


def _splits(cohort: Cohort, rule: SplitRule, images: pa.Array, rows: Mask) -> np.ndarray:
    """Return the number of the split of each chosen row."""
    if "split" not in cohort.index.columns:
        return rule.assign_codes(cohort.answers.units["patient"], images, rows)
    frame = stored(cohort.index, ["image_id", "patient", "split"], rows=rows).to_pandas()
    return rule.assign(frame).map({name: number for number, name in enumerate(SPLITS)}).to_numpy(dtype=np.int8)


def _sorted(images: pa.Array, part: np.ndarray, split: np.ndarray) -> pa.Table:
    numbers = pa.table({"part": part, "split": split, "image_id": images})
    ordered = numbers.sort_by([(name, "ascending") for name in numbers.column_names])
    words = {"part": pa.array(PARTS), "split": pa.array(SPLITS)}
    columns = [words[name].take(ordered[name]) if name in words else ordered[name] for name in SCHEMA.names]
    return pa.table(columns, schema=SCHEMA)


def with_pixels(members: pa.Table, digests: Mapping[str, str | None]) -> pa.Table:
    """Return members with the digests of the pixels that a run loaded, in the column `pixel_digest`.

    Args:
        members: The members.
        digests: The digest of each image that was loaded, by its identifier.
    """
    values = [digests.get(image) for image in members["image_id"].to_pylist()]
    return members.append_column(PIXEL_DIGEST, pa.array(values, pa.string()))


def pixels_of(path: Path) -> dict[str, str]:
    """Return the digests of pixels in a file of members, by image; nothing where there are none that can be read."""
    try:
        rows = pq.read_table(path, columns=["image_id", PIXEL_DIGEST]).to_pydict()
        found = zip(rows["image_id"], rows[PIXEL_DIGEST], strict=True)
    except (OSError, KeyError, pa.ArrowException):
        return {}
    return {image: digest for image, digest in found if digest is not None}


def write_members(members: pa.Table, path: Path) -> str:
    """Write the members of a cohort to a file, and return the digest of its bytes.

    Identifiers share long beginnings with their neighbours, and what differs is mostly random digits: they are stored
    by what differs (DELTA_BYTE_ARRAY) and coded by Zstandard at its lowest level, which does not spoil random digits
    by the chance repetitions that higher levels find. A row group is one page: in short pages, the lengths of what
    differs stand among the digits, and both are coded worse. The same members give the same bytes.
    """
    pq.write_table(
        members,
        path,
        compression="zstd",
        compression_level=1,
        use_dictionary=["part", "split"],
        column_encoding={"image_id": "DELTA_BYTE_ARRAY"},
        row_group_size=1024**2,
        data_page_size=_PAGE,
        **_LONG_PAGES,
        write_statistics=False,
        store_schema=False,
    )
    return _digest(path.read_bytes())


def read_members(path: Path, *, digest: str) -> pa.Table:
    """Read the members of a frozen cohort.

    Args:
        path: The file.
        digest: The digest of its bytes, from the manifest.

    Raises:
        CohortError: The file cannot be read, is another than the one that was frozen, or holds no members.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CohortError(f"{path}: expected at most {MAX_BYTES // 1024**3} GiB, got more. {_REMEDY}")
        content = path.read_bytes()
    except OSError as error:
        raise CohortError(f"{path}: cannot be read ({error.strerror}). {_REMEDY}") from None
    if _digest(content) != digest:
        raise CohortError(
            f"{path}: the file does not match the digest in the manifest beside it: one of them was changed after the "
            "cohort was frozen. Get the two files that were frozen together."
        )
    try:
        members = pq.read_table(io.BytesIO(content), columns=SCHEMA.names).cast(SCHEMA)
    except (pa.ArrowException, KeyError, ValueError):
        raise CohortError(f"{path}: expected the columns {', '.join(SCHEMA.names)}. {_REMEDY}") from None
    if not _are_members(members):
        raise CohortError(f"{path}: expected each image once, with a part and a split. {_REMEDY}")
    return members


def _are_members(members: pa.Table) -> bool:
    known = [("part", PARTS), ("split", SPLITS)]
    words_are_known = [pc.all(pc.is_in(members[name], value_set=pa.array(words))).as_py() for name, words in known]
    distinct = pc.count_distinct(members["image_id"], mode="only_valid").as_py()
    return bool(distinct == len(members)) and False not in words_are_known


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
