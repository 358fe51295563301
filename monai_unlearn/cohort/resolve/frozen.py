"""A frozen cohort: a folder with the manifest, in counts and digests, and the members, image by image."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.resolve.manifest import read_manifest, write_manifest
from monai_unlearn.cohort.resolve.member_pixels import digest_of_pixels, pixels_in
from monai_unlearn.cohort.resolve.members import members_of, pixels_of, read_members, with_pixels, write_members
from monai_unlearn.cohort.resolve.split import SplitRule
from monai_unlearn.errors import CohortError
from monai_unlearn.staging import staged_file
from monai_unlearn.vocabulary.parts import PARTS, SPLITS
from monai_unlearn.vocabulary.run_folder import MANIFEST, MEMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from monai_unlearn.cohort.resolve.cohort import Cohort


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A cohort as it was when it was frozen.

    Attributes:
        manifest: The cohort in counts and digests.
        members: `image_id`, `part` and `split` of each image.
        source: How messages name it.
        pixels: The digest of the pixels of each image that a run loaded, by its identifier.
    """

    manifest: dict[str, Any]
    members: pa.Table
    source: str
    pixels: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, folder: Path) -> Frozen:
        """Read a folder that `freeze` wrote, and check that its files are those that were frozen together.

        Raises:
            CohortError: A file is missing, damaged, or was changed after the cohort was frozen.
        """
        manifest = read_manifest(folder / MANIFEST)
        members = read_members(folder / MEMBERS, digest=manifest["members"]["digest"])
        return cls(manifest=manifest, members=members, source=str(folder), pixels=pixels_of(folder / MEMBERS))

    @classmethod
    def of(cls, cohort: Cohort, rule: SplitRule | None = None) -> Frozen:
        """Return what a cohort is when it is frozen now.

        Args:
            cohort: The cohort.
            rule: How patients are assigned to splits; by default `SplitRule()`.

        Raises:
            DataError: A `split` column of the index cannot be used.
            IndexReadError: The index cannot be read.
        """
        rule = rule or SplitRule()
        members = members_of(cohort, rule)
        split = {"column": "split"} if "split" in cohort.index.columns else rule.to_dict()
        manifest = {**cohort.manifest, "split": split, "images_by_split": _by_split(members)}
        pixels = pixels_in(cohort.index, members["image_id"])
        if pixels is not None:
            manifest["pixels"] = digest_of_pixels(pixels)
        return cls(manifest=manifest, members=members, source=cohort.spec.source)

    @cached_property
    def parts(self) -> dict[str, str]:
        """The part of each image, by its identifier."""
        columns = (self.members[name].to_pylist() for name in ("image_id", "part"))
        return dict(zip(*columns, strict=True))

    def write(self, folder: Path, *, overwrite: bool = False) -> str:
        """Write the two files, each in one step, and return the digest of the manifest.

        Raises:
            CohortError: There is a frozen cohort already, or the folder cannot be written.
        """
        if (folder / MANIFEST).exists() and not overwrite:
            raise CohortError(
                f"{folder}: expected a new folder, got one with a frozen cohort. Name another, or add --force."
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with staged_file(folder / MEMBERS) as aside:
                digest = write_members(self.members, aside)
        except OSError as error:
            raise CohortError(f"{folder}: cannot be written ({error.strerror}). Name another folder.") from None
        members = {"file": MEMBERS, "digest": digest, "images": len(self.members)}
        return write_manifest({**self.manifest, "members": members}, folder / MANIFEST)


def freeze(
    cohort: Cohort,
    folder: Path,
    *,
    rule: SplitRule | None = None,
    pixels: Mapping[str, str | None] | None = None,
    overwrite: bool = False,
) -> str:
    """Write a cohort to a folder as `cohort_manifest.json` and `cohort_members.parquet`.

    Args:
        cohort: The cohort.
        folder: The folder, which is made if it is not there.
        rule: How patients are assigned to splits; by default `SplitRule()`.
        pixels: The digests of the pixels that a run loaded, by image; they are kept with the members.
        overwrite: Whether to replace a frozen cohort in the folder.

    Returns:
        The digest of the manifest, which covers the digest of the members.

    Raises:
        CohortError: There is a frozen cohort already, or the folder cannot be written.
        DataError: A `split` column of the index cannot be used.
    """
    frozen = Frozen.of(cohort, rule)
    if pixels is not None:
        frozen = replace(frozen, members=with_pixels(frozen.members, pixels))
    return frozen.write(folder, overwrite=overwrite)


def _by_split(members: pa.Table) -> dict[str, dict[str, int]]:
    counts = members.group_by(["part", "split"]).aggregate([([], "count_all")]).to_pylist()
    found = {(row["part"], row["split"]): row["count_all"] for row in counts}
    return {part: {split: found.get((part, split), 0) for split in SPLITS} for part in PARTS}
