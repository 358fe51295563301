"""The images that earlier revisions of a bundle forgot: later runs neither train on them nor count them as remain."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from monai_unlearn.cohort.lineage.document import Lineage
from monai_unlearn.cohort.lineage.hashes import Hashes, image_rows
from monai_unlearn.cohort.lineage.members import Forgotten, LineageMembers
from monai_unlearn.cohort.lineage.site_key import key_of
from monai_unlearn.errors import ConfigError
from monai_unlearn.index.store.schema import PIXEL_DIGEST
from monai_unlearn.vocabulary.parts import earlier_part
from monai_unlearn.vocabulary.run_folder import EVIDENCE, LINEAGE, LINEAGE_MEMBERS

if TYPE_CHECKING:
    from monai_unlearn.data.pixel_digest import PixelCheck
    from monai_unlearn.index import Index
    from monai_unlearn.index.pseudonyms import Pseudonyms

_BESIDE = Path(EVIDENCE) / LINEAGE_MEMBERS


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What earlier revisions of a bundle forgot, among the images of an index.

    Attributes:
        lineage: The revisions; None where the bundle was never revised.
        members: The hashes of what they forgot.
        key: The key of the hashes.
        forgotten: Which images of the index they are.
        frame: The images among them that the new cohort does not name again, as rows of `CohortData.frame`; their part
            is `earlier:VERSION`. Later images of forgotten patients are not among them: no revision saw them.
        later_images: How many later images of forgotten patients were left out.
        named_again: Images among them that the new cohort forgets again, by their identifiers.
    """

    lineage: Lineage | None = None
    members: LineageMembers | None = None
    key: Pseudonyms | None = field(default=None, repr=False)
    forgotten: Forgotten = field(default_factory=Forgotten, repr=False)
    frame: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["part", "split"]), repr=False)
    later_images: int = 0
    named_again: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that hold an image, in the order of the revisions."""
        versions = self.lineage.versions if self.lineage else ()
        return tuple(part for part in map(earlier_part, versions) if (self.frame["part"] == part).any())

    @property
    def counts(self) -> dict[str, int]:
        """How many images stay out of the parts of the new cohort."""
        return {"images": len(self.frame), "later_images": self.later_images}

    def warnings(self) -> list[str]:
        """Return what the evidence says about them."""
        if self.lineage is None:
            return []
        found = Counter(self.frame["part"])
        missing = [one.version for one in self.lineage.revisions if not found[earlier_part(one.version)]]
        gone = [f"No image is here of what was forgotten by version {', '.join(missing)}: not judged again."]
        cohorts = [
            f"{found[earlier_part(one.version)]} of {one.cohort} (version {one.version})"
            for one in self.lineage.revisions
            if found[earlier_part(one.version)]
        ]
        if self.later_images:
            cohorts.append(f"{self.later_images} later images of their patients")
        left_out = [f"Images that earlier revisions forgot are in no part of this cohort: {', '.join(cohorts)}."]
        return [*(left_out if cohorts else []), *(gone if missing else [])]


def find_earlier(
    index: Index,
    pixels: PixelCheck,
    *,
    bundle_root: str | Path | None,
    lineage_members: str | Path | None = None,
    keyfile: str | Path | None = None,
) -> Earlier:
    """Return which images of an index earlier revisions of a bundle forgot.

    Where the index has no digests of pixels, every image is read for its digest.

    Args:
        index: The index.
        pixels: Takes the digests of pixels.
        bundle_root: The bundle; its `lineage.json` says whether there are earlier revisions.
        lineage_members: The `lineage_members.parquet` of its last revision; by default the one in `evidence/` beside
            the bundle, where the run wrote it.
        keyfile: The key of the site, if the members were hashed with it.

    Raises:
        ConfigError: The lineage was changed, or its members or their key are missing or those of another bundle.
        DataError: A file is not the one that was indexed.
        IndexReadError: A file is no key.
    """
    lineage = None if bundle_root is None else Lineage.read(bundle_root)
    if lineage is None:
        return Earlier()
    path = Path(lineage_members) if lineage_members else Path(str(bundle_root)).resolve().parent / _BESIDE
    if not path.is_file():
        raise ConfigError(
            f"{path} is missing: {Path(str(bundle_root)) / LINEAGE} says that revisions of this bundle forgot images "
            f"({', '.join(one.cohort for one in lineage.revisions)}), and only this file tells which. Give the one of "
            f"the last revision: --lineage_members FILE."
        )
    members = LineageMembers.read(path, lineage)
    key = key_of(members, path, keyfile)
    hashes = Hashes(key, index)
    if members.patients_by - {hashes.patients_by}:
        raise ConfigError(
            f"{path}: the patients whom earlier revisions forgot cannot be recognised in the index {index.directory}: "
            "its patients go by pseudonyms of another key, or are not pseudonymised. Build the index with the key that "
            "the earlier one was pseudonymised with; if there is none, without --pseudonymise."
        )
    rows = image_rows(index)
    forgotten = members.found(hashes.of(rows, digests_of(index, rows, pixels)), lineage)
    return Earlier(lineage=lineage, members=members, key=key, forgotten=forgotten)


def digests_of(index: Index, rows: pd.DataFrame, pixels: PixelCheck) -> dict[str, str | None]:
    """Return the digest of the pixels of images: from the index, or from their files.

    Args:
        index: The index.
        rows: Rows of `image_rows`.
        pixels: Takes the digests of files.

    Raises:
        DataError: A file is not the one that was indexed.
    """
    if PIXEL_DIGEST in rows:
        known = dict(zip(rows["image_id"], rows[PIXEL_DIGEST], strict=True))
        return {name: digest if isinstance(digest, str) else None for name, digest in known.items()}
    paths = index.frame(["image_id", "path"])
    paths = paths[paths["image_id"].isin(rows["image_id"])].astype(object)
    pairs = zip(paths["image_id"], paths["path"], strict=True)
    pixels.check({"image_id": name, "image": path if pd.notna(path) else None} for name, path in pairs)
    return {name: seen.digest for name, seen in pixels.seen.items()}


def apart(table: pd.DataFrame, earlier: Earlier) -> tuple[pd.DataFrame, Earlier]:
    """Take the images that earlier revisions forgot out of a table; those that it forgets again stay.

    Args:
        table: One row per image, with `image_id` and `part`.
        earlier: What they forgot.
    """
    versions, later = earlier.forgotten.versions, earlier.forgotten.later_images
    known = table["image_id"].map(lambda name: versions.get(str(name)))
    again = table["part"] == "forget"
    is_later = table["image_id"].isin(later)
    out = known.notna() & ~again
    frame = table[out].assign(part=[earlier_part(version) for version in known[out]]).reset_index(drop=True)
    kept = table[~(out | (is_later & ~again))].reset_index(drop=True)
    return kept, replace(
        earlier,
        frame=frame,
        later_images=int((is_later & ~again).sum()),
        named_again=frozenset(table["image_id"][again & (known.notna() | is_later)]),
    )
