"""The pixels that weights were trained and evaluated on: kept beside the training record, compared by later runs.

`training_members.parquet` has a row for each image: a hash of its identifier, the digest of its pixels, size and time
of its file, and whether the weights were trained on it. Training writes it; evaluation and unlearning add the images
that they are the first to load. The training record itself holds one digest over the training images, `pixels_digest`,
which names nobody and travels with the weights; the members stay with the bundle that was trained.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.cohort.resolve.members import pixels_of
from monai_unlearn.data.pixel_digest import examples
from monai_unlearn.engine import distributed
from monai_unlearn.engine.training_record import images_digest, known_items
from monai_unlearn.errors import DataError
from monai_unlearn.release.sums import is_release
from monai_unlearn.staging import staged_file
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from monai_unlearn.data import CohortData
    from monai_unlearn.data.pixel_digest import Seen

MEMBERS = "training_members.parquet"
DIGEST = "pixels_digest"
_SCHEMA = pa.schema(
    {
        "member": pa.string(),
        "pixel_digest": pa.string(),
        "file_size": pa.int64(),
        "file_mtime_ns": pa.int64(),
        "trained": pa.bool_(),
    }
)
_REMEDY = "Restore the files; or, if they are meant to be others, train again."


class Member(NamedTuple):
    """An image as it was when it was first loaded: the fields of `Seen`, and whether it was trained on."""

    digest: str | None
    size: int
    modified: int
    trained: bool

    def is_swapped(self, seen: Seen, *, strict: bool) -> bool:
        """Return whether a file has other pixels now.

        Args:
            seen: The file as it is.
            strict: Also where it has another size or time: it was written anew, and the index was built again.
        """
        return seen.digest != self.digest and (strict or seen[1:] == self[1:3])


def check_before_training(checkpoint: Path, data: CohortData, parts: Iterable[str]) -> None:
    """Refuse images that are not the files that were indexed, or whose pixels an earlier run saw otherwise.

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
    changed = _swapped(_read(checkpoint), data, strict=False)
    if changed:
        raise DataError(
            f"{len(changed)} of {len(items)} images have other pixels than when {checkpoint} was trained, although "
            f"size and time of their files are the same: {examples(changed)}. Restore the files; or, if they are meant "
            f"to be others, remove {checkpoint.with_name(MEMBERS)} and train again."
        )


def write_members(checkpoint: Path, data: CohortData, parts: Iterable[str]) -> dict[str, str]:
    """Write the members beside the weights, and return what the training record says of them."""
    identifiers = [str(item["image_id"]) for item in data.items(parts, "train")]
    seen = data.pixels.seen
    trained = {_member(one): Member(*seen[one], trained=True) for one in identifiers if one in seen}
    others = {one: member._replace(trained=False) for one, member in _read(checkpoint).items() if one not in trained}
    _write(checkpoint, {**others, **trained})
    return {DIGEST: _digest(trained)}


def pixels_digest(data: CohortData, items: Sequence[Mapping[str, Any]]) -> str:
    """Return the digest of the pixels of some images, as a training record has it.

    Args:
        data: The source of the items.
        items: Items of `CohortData.items`.

    Raises:
        DataError: A file is not the one that was indexed.
    """
    data.pixels.check(items)
    identifiers, seen = [str(item["image_id"]) for item in items], data.pixels.seen
    return _digest({_member(one): Member(*seen[one], trained=True) for one in identifiers if one in seen})


def trained_on(checkpoint: Path, images: Iterable[object], record: Mapping[str, Any]) -> set[str] | None:
    """Return those of some images that weights were trained on; None where nothing says which these are.

    Args:
        checkpoint: The weights.
        images: Identifiers of images.
        record: The training record.
    """
    members = _read(checkpoint)
    if DIGEST not in record or _digest(members) != record[DIGEST]:
        return None
    return {str(one) for one in images if (found := members.get(_member(one))) is not None and found.trained}


def check_trained_pixels(checkpoint: Path, record: Mapping[str, Any], data: CohortData) -> None:
    """Refuse images whose pixels are not those that the weights were trained on, or that an earlier run saw.

    Weights of a revised bundle are compared with the evidence beside it, if it is still there.

    Images are compared that were loaded already. Where the members are not there, those that were trained on are looked
    at, if the index still holds exactly them. Images that no run loaded before are added to the members.

    Args:
        checkpoint: The weights.
        record: Their training record; empty where there is none, and then nothing is compared.
        data: The images of the run.

    Raises:
        DataError: There are such images.
    """
    _compare_revised(checkpoint, data)
    if DIGEST not in record:
        return
    members = _read(checkpoint)
    if members and _digest(members) == record[DIGEST]:
        _compare_each(checkpoint, members, data)
        _add_seen(checkpoint, members, data)
    elif record.get("images_digest") == images_digest(data, record.get("parts", ())):
        _compare_all(checkpoint, record, data)


def _compare_revised(checkpoint: Path, data: CohortData) -> None:
    bundle = checkpoint.resolve().parent.parent
    before = pixels_of(RunFolder(bundle.parent).members)
    if not before:
        return
    common = {one: seen for one, seen in data.pixels.seen.items() if one in before}
    changed = [one for one, seen in common.items() if seen.digest != before[one]]
    if changed:
        raise DataError(
            f"{len(changed)} of {len(common)} images have other pixels than those that {bundle} was revised with: "
            f"{examples(changed)}. {_REMEDY}"
        )


def _compare_each(checkpoint: Path, members: Mapping[str, Member], data: CohortData) -> None:
    trained = {one: member for one, member in members.items() if member.trained}
    others = {one: member for one, member in members.items() if not member.trained}
    changed = [*_swapped(trained, data, strict=True), *_swapped(others, data, strict=False)]
    if changed:
        common = sum(_member(one) in members for one in data.pixels.seen)
        raise DataError(
            f"{len(changed)} of {common} images have other pixels than those that {checkpoint} was trained or "
            f"evaluated on: {examples(changed)}. {_REMEDY}"
        )


def _compare_all(checkpoint: Path, record: Mapping[str, Any], data: CohortData) -> None:
    if pixels_digest(data, known_items(data, record["parts"])) != record[DIGEST]:
        raise DataError(
            f"the images that {checkpoint} was trained on have other pixels now; which of them, only {MEMBERS} beside "
            f"the weights of the trained bundle says. {_REMEDY}"
        )


def _add_seen(checkpoint: Path, members: Mapping[str, Member], data: CohortData) -> None:
    """Add the images that are loaded for the first time; where the folder cannot be written, nothing is kept.

    A release stays as it is: with one more file or another one, its signature would not hold any more.
    """
    seen = {_member(one): Member(*found, trained=False) for one, found in data.pixels.seen.items()}
    kept = {**members, **{one: member for one, member in seen.items() if not (one in members and members[one].trained)}}
    if kept != members and distributed.is_main_process() and not is_release(checkpoint):
        with suppress(OSError):
            _write(checkpoint, kept)


def _swapped(members: Mapping[str, Member], data: CohortData, *, strict: bool) -> list[str]:
    """Return the images that were loaded and have other pixels than as members."""
    common = ((one, members.get(_member(one)), seen) for one, seen in data.pixels.seen.items())
    return [one for one, member, seen in common if member is not None and member.is_swapped(seen, strict=strict)]


def _read(checkpoint: Path) -> dict[str, Member]:
    """Return the members beside weights; nothing where there are none that can be read."""
    try:
        columns = pq.read_table(checkpoint.with_name(MEMBERS), schema=_SCHEMA).to_pydict()
    except (OSError, pa.ArrowException):
        return {}
    rows = zip(*(columns[name] for name in _SCHEMA.names), strict=True)
    return {member: Member(*values) for member, *values in rows}


def _write(checkpoint: Path, members: Mapping[str, Member]) -> None:
    rows = [dict(zip(_SCHEMA.names, (one, *member), strict=True)) for one, member in sorted(members.items())]
    with staged_file(checkpoint.with_name(MEMBERS)) as path:
        pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), path, compression="zstd")


def _member(image_id: object) -> str:
    """Return what stands for an image: a hash, so that a bundle that is passed on lists no identifiers."""
    return hashlib.sha256(str(image_id).encode()).hexdigest()


def _digest(members: Mapping[str, Member]) -> str:
    """Return one digest of the pixels of all members that were trained on."""
    lines = "".join(f"{one} {member.digest}\n" for one, member in sorted(members.items()) if member.trained)
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
