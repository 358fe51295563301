"""Whether one bundle has forgotten all that another has, by the images themselves: specs may differ, as of a union.

The evidence of a run has the images that its revisions forgot, as hashes under a key; the lineage, which is in the
signed bundle, has the digest of these hashes. So evidence that belongs to another bundle, or was changed, is
recognised, wherever it was found.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.cohort.lineage.hashes import IMAGE, image_hash
from monai_unlearn.cohort.lineage.members import LineageMembers
from monai_unlearn.cohort.lineage.site_key import key_of
from monai_unlearn.errors import InputError
from monai_unlearn.vocabulary.run_folder import EVIDENCE, LINEAGE_MEMBERS, MEMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monai_unlearn.cohort.lineage.document import Lineage
    from monai_unlearn.index.pseudonyms import Pseudonyms

_MOST_RUNS = 1000


def has_forgotten_all(bundle: Path, lineage: Lineage, earlier: Lineage) -> bool:
    """Return whether the evidence shows that a bundle has forgotten every image that another one has.

    The evidence of the other is looked for beside that of the bundle: in the other runs of its folder, such as those of
    a consent service.

    Args:
        bundle: The bundle, where its run wrote it.
        lineage: Its lineage.
        earlier: The lineage of the other.

    Returns:
        False also where evidence is missing, or was hashed under a key that is not there.
    """
    run = bundle.resolve().parent
    own = _members(run / EVIDENCE, lineage)
    if own is None:
        return False
    for evidence in _evidence_beside(run):
        other = _members(evidence, earlier)
        if other is not None and _covers(run / EVIDENCE, own, evidence, other):
            return True
    return False


def _evidence_beside(run: Path) -> Iterator[Path]:
    """Yield the evidence of a run, and of the runs beside it: `RUNS/*` or `REQUESTS/*/run`."""
    yield run / EVIDENCE
    patterns = ((run.parent, f"*/{EVIDENCE}"), (run.parent.parent, f"*/{run.name}/{EVIDENCE}"))
    for folder, pattern in patterns:
        yield from islice(sorted(folder.glob(pattern)), _MOST_RUNS)


def _members(evidence: Path, lineage: Lineage) -> LineageMembers | None:
    """Return what the revisions of a lineage forgot; null where the evidence is missing or that of another bundle."""
    try:
        return LineageMembers.read(evidence / LINEAGE_MEMBERS, lineage)
    except InputError:
        return None


def _covers(folder: Path, own: LineageMembers, evidence: Path, other: LineageMembers) -> bool:
    if own.key == other.key:
        return _images(other) <= _images(own)
    # Hashes under two keys cannot be compared, but identifiers can be hashed under both.
    try:
        known = [str(one) for one in pq.read_table(folder / MEMBERS, columns=["image_id"])["image_id"].to_pylist()]
        keys = key_of(own, folder / LINEAGE_MEMBERS, None), key_of(other, evidence / LINEAGE_MEMBERS, None)
    except (InputError, OSError, pa.ArrowException):
        return False
    mine = _images(own)
    forgotten = [one for one in known if image_hash(keys[0], one) in mine]
    return _images(other) <= _hashed(keys[1], forgotten)


def _images(members: LineageMembers) -> set[str]:
    return {one for _, kind, _, one in members.rows if kind == IMAGE}


def _hashed(key: Pseudonyms, images: list[str]) -> set[str]:
    return {image_hash(key, one) for one in images}
