"""The lineage of a revised bundle: that of its base, with one more revision. Never loads torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.lineage.document import Counts, Entry, ForgottenEarlier, Lineage, appended
from monai_unlearn.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.cohort import Cohort


def lineage_after(
    earlier: Lineage | None,
    *,
    cohort: Cohort,
    versions: tuple[str, str],
    date: str,
    verdict: str | None,
    kept_out: Mapping[str, int],
    digests: Mapping[str, str],
) -> Lineage:
    """Return the lineage of a revised bundle.

    Args:
        earlier: The lineage of its base; None where the base was never revised.
        cohort: What the revision forgot.
        versions: The bundle's version before and after it.
        date: The day, as 2026-11-26.
        verdict: What the revision was found to be; None where nothing judged it.
        kept_out: How many images stayed out of all parts, because earlier revisions forgot them: `images` and
            `later_images`.
        digests: Of `manifest`, `members`, `base_weights` and `weights`.

    Raises:
        ConfigError: An earlier revision has the same version.
    """
    base, version = versions
    content: dict[str, Any] = {f"{name}_digest": digest for name, digest in digests.items()}
    entry = Entry(
        version=version,
        base_version=base,
        date=date,
        tool_version=__version__,
        cohort=cohort.spec.name,
        reason=cohort.spec.reason.value,
        scope=cohort.spec.scope.value,
        images=Counts(**cohort.images),
        patients=Counts(**cohort.patients),
        forgotten_earlier=ForgottenEarlier(**kept_out),
        verdict=verdict,
        spec_digest=cohort.spec.digest,
        **content,
    )
    return appended(earlier, entry)
