"""The pixels that weights were trained on: kept beside the training record, and compared by every later run.

`training_members.parquet` has a row for each training image: a hash of its identifier, the digest of its pixels, and
size and time of its file. The training record itself holds one digest over all of them, `pixels_digest`, which names
nobody and travels with the weights; the members stay with the bundle that was trained.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.data.pixel_digest import examples
from monai_unlearn.engine.training_record import images_digest
from monai_unlearn.errors import DataError
from monai_unlearn.staging import staged_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from monai_unlearn.data import CohortData

MEMBERS = "training_members.parquet"
DIGEST = "pixels_digest"
_SCHEMA = pa.schema(
    {"member": pa.string(), "pixel_digest": pa.string(), "file_size": pa.int64(), "file_mtime_ns": pa.int64()}
)


def check_before_training(checkpoint: Path, data: CohortData, parts: Iterable[str]) -> None:
    """Refuse images that are not the files that were indexed, or whose pixels an earlier training saw otherwise.

    Pixels may change between two trainings. Then the file has another size or time, and the index was built again; a
    file with the size and time that it had, but other pixels, was swapped.

    Args:
        checkpoint: Where the weights will be; the members of an earlier training may lie beside it.
        data: The images.
        parts: The parts to train on.

    Raises:
        DataError: There are such images.
    """
    items = data.items(parts, "train")
    data.pixels.check(items)
    members = _read(checkpoint.with_name(MEMBERS))
    changed = []
    for item in items:
        seen, before = data.pixels.seen.get(str(item["image_id"])), members.get(_member(item["image_id"]))
        if seen and before and seen[1:] == before[1:] and seen.digest != before[0]:
            changed.append(str(item["image_id"]))
    if changed:
        raise DataError(
            f"{len(changed)} of {len(items)} images have other pixels than when {checkpoint} was trained, although "
            f"size and time of their files are the same: {examples(changed)}. Restore the files; or, if they are meant "
            f"to be others, remove {checkpoint.with_name(MEMBERS)} and train again."
        )


def write_members(checkpoint: Path, data: CohortData, parts: Iterable[str]) -> dict[str, str]:
    """Write the members beside the weights, and return what the training record says of them."""
    identifiers = [str(item["image_id"]) for item in data.items(parts, "train")]
    rows = sorted((_member(one), *data.pixels.seen[one]) for one in identifiers if one in data.pixels.seen)
    table = pa.Table.from_pylist([dict(zip(_SCHEMA.names, row, strict=True)) for row in rows], schema=_SCHEMA)
    with staged_file(checkpoint.with_name(MEMBERS)) as path:
        pq.write_table(table, path, compression="zstd")
    return {DIGEST: _digest({member: digest for member, digest, *_ in rows})}


def check_trained_pixels(checkpoint: Path, record: Mapping[str, Any], data: CohortData) -> None:
    """Refuse images whose pixels are not those that the weights were trained on.

    Only images are compared that were loaded already; without the members, those that were trained on are looked at,
    if the index still holds exactly them.

    Args:
        checkpoint: The weights.
        record: Their training record; empty where there is none, and then nothing is compared.
        data: The images of the run.

    Raises:
        DataError: There are such images.
    """
    if DIGEST not in record:
        return
    members = _read(checkpoint.with_name(MEMBERS))
    before = {member: digest for member, (digest, *_) in members.items()}
    if _digest(before) == record[DIGEST]:
        _compare_each(checkpoint, before, data)
    elif record.get("images_digest") == images_digest(data, record.get("parts", ())):
        _compare_all(checkpoint, record, data)


def _compare_each(checkpoint: Path, before: Mapping[str, str | None], data: CohortData) -> None:
    common = {one: seen for one, seen in data.pixels.seen.items() if _member(one) in before}
    changed = [one for one, seen in common.items() if before[_member(one)] != seen.digest]
    if changed:
        raise DataError(
            f"{len(changed)} of {len(common)} images have other pixels than those that {checkpoint} was trained on: "
            f"{examples(changed)}. {_REMEDY}"
        )


def _compare_all(checkpoint: Path, record: Mapping[str, Any], data: CohortData) -> None:
    items = data.items(record["parts"], "train")
    data.pixels.check(items)
    seen = {str(item["image_id"]): data.pixels.seen.get(str(item["image_id"])) for item in items}
    if _digest({_member(one): found.digest for one, found in seen.items() if found}) != record[DIGEST]:
        raise DataError(
            f"the images that {checkpoint} was trained on have other pixels now; which of them, only {MEMBERS} beside "
            f"the weights of the trained bundle says. {_REMEDY}"
        )


_REMEDY = "Restore the files; or, if they are meant to be others, train again."


def _read(path: Path) -> dict[str, tuple[str | None, int, int]]:
    """Return digest, size and time of each member; nothing where there are none that can be read."""
    try:
        rows = pq.read_table(path, schema=_SCHEMA).to_pydict()
    except (OSError, pa.ArrowException):
        return {}
    values = zip(rows["pixel_digest"], rows["file_size"], rows["file_mtime_ns"], strict=True)
    return dict(zip(rows["member"], values, strict=True))


def _member(image_id: object) -> str:
    """Return what stands for an image: a hash, so that a bundle that is passed on lists no identifiers."""
    return hashlib.sha256(str(image_id).encode()).hexdigest()


def _digest(digests: Mapping[str, str | None]) -> str:
    lines = "".join(f"{member} {digest}\n" for member, digest in sorted(digests.items()))
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
