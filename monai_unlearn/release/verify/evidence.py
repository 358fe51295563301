"""Compares a bundle with the evidence beside it, where that is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.resolve.manifest import read_manifest
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.errors import CohortError
from monai_unlearn.release.verify.cards import JSON
from monai_unlearn.release.verify.report import tampered
from monai_unlearn.vocabulary.bundle_files import DOCS
from monai_unlearn.vocabulary.run_folder import EVIDENCE, MANIFEST, RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monai_unlearn.cohort.lineage.document import Lineage
    from monai_unlearn.release.verify.report import Fault


def compare_evidence(root: Path, lineage: Lineage) -> Iterator[Fault]:
    """Yield what the evidence beside a revised bundle says otherwise.

    Args:
        root: The bundle.
        lineage: Its lineage.
    """
    run = RunFolder(root.resolve().parent)
    if not run.manifest.is_file() or root.resolve().name not in {
        run.bundle(accepted=one).name for one in (True, False)
    }:
        return
    wanted = lineage.revisions[-1].manifest_digest
    try:
        found = digest_of(read_manifest(run.manifest))
    except CohortError:
        yield tampered(f"{EVIDENCE}/{MANIFEST}", f"is damaged; lineage.json of the bundle says {wanted}.")
    else:
        if found != wanted:
            yield tampered(
                f"{EVIDENCE}/{MANIFEST}", f"has the digest {found}; lineage.json of the bundle says {wanted}."
            )
    beside, card = run.evidence / JSON, root / DOCS / JSON
    if beside.is_file() and card.is_file() and beside.read_bytes() != card.read_bytes():
        yield tampered(f"{EVIDENCE}/{JSON}", "differs from the card in the bundle.")
