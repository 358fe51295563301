"""A lineage of two revisions, and an entry of one."""

from __future__ import annotations

from typing import Any

from monai_unlearn.cohort.lineage.document import Counts, Entry, ForgottenEarlier, Lineage

DIGEST = "sha256:" + "0" * 64


def entry(version: str = "0.2.0", **changes: Any) -> Entry:
    """Return what a revision forgot: two of ten images."""
    plain: dict[str, Any] = {
        "version": version,
        "base_version": "0.1.0",
        "date": "2026-11-26",
        "tool_version": "0.1.0",
        "cohort": "retire-old",
        "reason": "device_deprecation",
        "scope": "image",
        "images": Counts(forget=2, remain=8, undetermined=0),
        "patients": Counts(forget=1, remain=4, undetermined=0),
        "forgotten_earlier": ForgottenEarlier(images=0, later_images=0),
        "verdict": None,
        "spec_digest": DIGEST,
        "manifest_digest": DIGEST,
        "members_digest": DIGEST,
        "base_weights_digest": DIGEST,
        "weights_digest": DIGEST,
    }
    return Entry(**{**plain, **changes})


def lineage(*entries: Entry) -> Lineage:
    """Return a lineage of these revisions; by default of two."""
    return Lineage(revisions=entries or (entry(), entry("0.3.0", base_version="0.2.0", cohort="withdrawn")))
