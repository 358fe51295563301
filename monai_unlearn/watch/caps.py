"""How much a protocol lets the service forget by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort import SplitRule
from monai_unlearn.evaluation.decision.applied_protocol import CohortFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from monai_unlearn.cohort import Cohort
    from monai_unlearn.evaluation.decision.protocol import Protocol


class _Table:
    """The images of a cohort, as `CohortFacts` reads them."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame.assign(label=frame["label"].astype("object"))
        self.class_names = tuple(sorted(map(str, self.frame["label"].dropna().unique())))


def beyond(cohort: Cohort, protocol: Protocol, *, split: Mapping[str, Any] | None) -> list[str]:
    """Return a sentence for each way in which a cohort is more, or another, than a protocol allows; counts alone.

    The cohort is everything that was asked for so far, so that many small requests cannot exceed together what one may
    not.

    Args:
        cohort: The cohort.
        protocol: The protocol.
        split: How patients are assigned to splits; None where only a run knows, which then judges the training images.
    """
    found, known = [], protocol.qualified_for
    patients = {part: int(cohort.patients[part]) for part in ("forget", "remain", "undetermined")}
    # A patient may have images in several parts; the share is then the larger for it.
    share = patients["forget"] / max(1, patients["forget"] + patients["remain"] + patients["undetermined"])
    if share > known.share.max:
        found.append(
            f"It forgets {100 * share:.1f} % of the patients, with what was forgotten before; the protocol allows "
            f"{100 * known.share.max:.1f} %."
        )
    if split is not None:
        facts = CohortFacts.of(_Table(cohort.image_table(SplitRule(**split))), reason=cohort.spec.reason.value)
        found += facts.outside(protocol)
    return found
