"""What a run does so that forgotten stays forgotten: it obeys the lineage of its bundle, and adds to it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.lineage.document import Lineage
from monai_unlearn.cohort.lineage.hashes import PATIENT, Hashes, image_rows
from monai_unlearn.cohort.lineage.members import LineageMembers
from monai_unlearn.cohort.lineage.site_key import first_key, write_key
from monai_unlearn.cohort.spec.document import Reason, Scope
from monai_unlearn.data.earlier import digests_of
from monai_unlearn.engine.trained_pixels import pixels_digest
from monai_unlearn.engine.training_record import images_digest
from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.vocabulary.parts import SPLITS
from monai_unlearn.vocabulary.run_folder import LINEAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from monai_unlearn.cohort import Cohort
    from monai_unlearn.data import CohortData
    from monai_unlearn.vocabulary.run_folder import RunFolder

# What training cost, in its record, with the digits that are kept; None for a whole number, as a budget asks for.
_COSTS: Mapping[str, int | None] = {"gradient_evaluations": None, "seconds": 3}


def check_lineage(bundle_root: str | Path, data: CohortData, record: Mapping[str, Any] | None = None) -> None:
    """Refuse data that were opened without the lineage of the bundle.

    Args:
        bundle_root: The bundle.
        data: The images of the run.
        record: The training record of the bundle's weights; one of a revised bundle says that there is a lineage.

    Raises:
        ConfigError: The config does not tell its `data` which bundle is meant, or the lineage is missing or was
            changed since.
    """
    lineage = Lineage.read_for(bundle_root, record or {})
    if lineage is not None and lineage != data.earlier.lineage:
        raise ConfigError(
            f"{Path(bundle_root) / LINEAGE} says that this bundle forgot images, but the config does not leave them "
            'out. Add to the section of `open_data`: bundle_root: "@bundle_root", keyfile: "@keyfile" and '
            'lineage_members: "@lineage_members".'
        )


def check_subsets(data: CohortData, subsets: Collection[tuple[str, str]]) -> None:
    """Refuse subsets that lack what earlier revisions forgot: nobody would see whether it is still forgotten.

    Args:
        data: The images.
        subsets: The subsets of the run, by (part, split); of the splits that are among them.

    Raises:
        ConfigError: One is missing.
    """
    splits = {split for _, split in subsets}
    pairs = itertools.product(data.earlier.parts, (split for split in SPLITS if split in splits))
    missing = [pair for pair in pairs if pair not in subsets and data.earlier_items(*pair)]
    if missing:
        named = ", ".join(map(" ".join, missing))
        raise ConfigError(
            f"subsets: expected the images that earlier revisions of the bundle forgot too, got none of {named}: "
            "whether they are still forgotten is judged. Build the subsets with "
            "`monai_unlearn.data.subset_datasets(data=data, …)`, which adds them."
        )


def check_not_forgotten(data: CohortData, parts: Sequence[str]) -> None:
    """Refuse to train on images that earlier revisions forgot, because a new spec names them again.

    Args:
        data: The images.
        parts: The parts to train on.

    Raises:
        DataError: There are such images.
    """
    identifiers = {str(item["image_id"]) for item in data.items(parts, "train")}
    if found := len(identifiers & data.earlier.named_again):
        raise DataError(
            f"{found} of {len(identifiers)} images to train on were forgotten by earlier revisions of the bundle, and "
            "the cohort spec names them again. Train without the forget part: --parts \"['remain']\""
        )


def write_lineage_members(data: CohortData, run: RunFolder, *, version: str, keyfile: str | None) -> LineageMembers:
    """Write what this revision and earlier ones forgot, as hashes, into the evidence.

    Without a key of the site, a new key is written beside them.

    Args:
        data: The images of the run.
        run: The places of its results.
        version: The bundle's version after the revision.
        keyfile: The key file of the site, if one is given.

    Raises:
        DataError: The run has no cohort, or a file is not the one that was indexed.
        IndexReadError: The file is no key.
    """
    cohort = _cohort(data)
    key = data.earlier.key or first_key(keyfile)
    hashes = Hashes(key, cohort.index)
    rows = image_rows(cohort.index)
    rows = rows[rows["image_id"].isin(cohort.image_ids["forget"])].reset_index(drop=True)
    found = hashes.of(rows, digests_of(cohort.index, rows, data.pixels))
    kept = {(kind, one) for _, kind, one in found if kind != PATIENT or forgets_patients(cohort)}
    members = LineageMembers.of(version, kept, key=key.fingerprint, patients_by=hashes.patients_by)
    if data.earlier.members is not None:
        members = members.union(data.earlier.members)
    members.write(run.lineage_members)
    if not keyfile or first_key(keyfile) != key:
        write_key(key, run.lineage_key)
    return members


def forgets_patients(cohort: Cohort) -> bool:
    """Return whether later images of the patients stay out too: they withdrew, or the spec extends to patients."""
    return cohort.spec.scope is Scope.PATIENT or cohort.spec.reason is Reason.CONSENT_WITHDRAWAL


def revised_record(
    record: Mapping[str, Any],
    data: CohortData,
    *,
    parent: Mapping[str, str],
    lineage: Lineage,
    composed_of: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Return the training record of the revised weights: trained on what the original was, without the forget part.

    How they were trained stays what the record of the original says: a reference is retrained in the same way. What it
    cost is scaled to the images left, since the budget of the next revision is a share of retraining on these.

    Args:
        record: The training record of the original weights; without one, the revised weights have none either.
        data: The images of the run.
        parent: `version` and `weights_digest` of the original.
        lineage: The lineage of the revised bundle.
        composed_of: `version` and `weights_digest` of the networks that a composition is made of.

    Raises:
        DataError: A file is not the one that was indexed.
    """
    if not record:
        return {}
    parts = [part for part in record.get("parts", ()) if part != "forget"]
    # Images of another index, or outside the cohort's population: which of them are left is not known.
    known = record.get("images_digest") == images_digest(data, record.get("parts", ()))
    left = {"images_digest": None} if not known else _of_images(record, data, parts)
    return {
        **{key: value for key, value in record.items() if key != "pixels_digest"},
        "index_digest": data.index_digest,
        "spec_digest": _cohort(data).spec.digest,
        **left,
        "parent": dict(parent),
        "lineage_digest": lineage.digest,
        **({"composed_of": [dict(one) for one in composed_of]} if composed_of else {}),
    }


def _of_images(record: Mapping[str, Any], data: CohortData, parts: Sequence[str]) -> dict[str, Any]:
    """Return what a training record says of the images of some parts; costs are scaled to their number."""
    items = data.items(parts, "train")
    share = len(items) / (record.get("images") or len(items) or 1)
    costs = {name: record[name] for name in _COSTS if isinstance(record.get(name), (int, float))}
    return {
        "images": len(items),
        "images_digest": images_digest(data, parts),
        "pixels_digest": pixels_digest(data, items),
        **{name: round(cost * share, _COSTS[name]) for name, cost in costs.items()},
    }


def _cohort(data: CohortData) -> Cohort:
    if data.cohort is None:
        raise DataError("a revision needs data with a cohort spec; open_data got none.")
    return data.cohort
