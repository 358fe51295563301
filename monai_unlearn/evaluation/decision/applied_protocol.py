"""A protocol as a run applies it, and the cohort that it is applied to."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation.decision.failure_bound import failure_bound, is_accepted
from monai_unlearn.evaluation.decision.protocol import MIN_COHORTS, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

DEFAULT_BOUND = failure_bound(MIN_COHORTS, MIN_COHORTS)
"""The largest bound on failures that a run accepts by itself: that of ten cohorts without a failure, 26 %."""


_PARTS = ("forget", "remain")


class Images(typing.Protocol):
    """Images with part, split, label and patient: a table of predictions, or the data of a run before there is one."""

    @property
    def frame(self) -> pd.DataFrame:
        """One row an image."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the network's outputs."""


@dataclass(frozen=True, kw_only=True)
class CohortFacts:
    """What a protocol is qualified for is said in these terms.

    Attributes:
        reason: The reason of the spec.
        patients: Patients of the forget training images; an image without a patient counts as one.
        share: The forget part's share of the training images, of forget and remain together, in [0, 1].
        classes: The classes of the forget part, whatever the split, in the order of the network's outputs.
    """

    reason: str
    patients: int
    share: float
    classes: tuple[str, ...]

    @classmethod
    def of(cls, images: Images, *, reason: str, counts: Mapping[str, Mapping[str, int]] | None = None) -> CohortFacts:
        """Read them from the data of a run, or from its table of predictions.

        Args:
            images: Their forget part is whole.
            reason: The reason of the spec.
            counts: Of the data, images by part and split, as `metrics.json` holds them. Must be given with a table: of
                a large remain part it holds a sample of the training images, in which any cohort is a large one.
        """
        frame = images.frame
        forgotten = frame.loc[(frame["part"] == "forget") & (frame["split"] == "train"), "patient"]
        labels = set(frame.loc[frame["part"] == "forget", "label"])
        train = {part: _trained(frame, part) if counts is None else int(counts[part]["train"]) for part in _PARTS}
        both = sum(train.values())
        return cls(
            reason=reason,
            patients=int(forgotten.nunique() + forgotten.isna().sum()),
            share=train["forget"] / both if both else 0.0,
            classes=tuple(name for name in images.class_names if name in labels),
        )

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> CohortFacts:
        """Return what `to_dict` gave.

        Raises:
            KeyError: A key is missing.
        """
        return cls(
            reason=str(content["reason"]),
            patients=int(content["patients"]),
            share=float(content["share"]),
            classes=tuple(content["classes"]),
        )

    def outside(self, protocol: Protocol) -> list[str]:
        """Return a sentence for each way in which the cohort is not one that the protocol is qualified for."""
        known, found = protocol.qualified_for, []
        if self.reason not in known.reasons:
            found.append(f"It was rehearsed for the reason {', '.join(known.reasons)}; the cohort's is {self.reason}.")
        if not known.patients.min <= self.patients <= known.patients.max:
            found.append(
                f"Its rehearsal cohorts had {known.patients.min} to {known.patients.max} patients to train on; the "
                f"cohort has {self.patients}."
            )
        if not known.share.min <= self.share <= known.share.max:
            found.append(
                f"Its rehearsal cohorts were {100 * known.share.min:.1f} to {100 * known.share.max:.1f} % of the "
                f"training images; the cohort is {100 * self.share:.1f} %."
            )
        if set(self.classes) != set(known.classes):
            found.append(
                f"Its rehearsal cohorts had the classes {', '.join(known.classes)}; the cohort has "
                f"{', '.join(self.classes) or 'none'}."
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return it as `metrics.json` holds it."""
        return {
            "reason": self.reason,
            "patients": self.patients,
            "share": self.share,
            "classes": list(self.classes),
        }


def _trained(frame: pd.DataFrame, part: str) -> int:
    return int(((frame["part"] == part) & (frame["split"] == "train")).sum())


@dataclass(frozen=True, kw_only=True)
class AppliedProtocol:
    """A protocol as a run applies it.

    Args:
        protocol: The protocol.
        cohort: The cohort that it is applied to, as the data of the run hold it.
        accept_bound: The largest bound on failures that is accepted, in (0, 1); None for `DEFAULT_BOUND`.

    Raises:
        ConfigError: `accept_bound` is no such share.
    """

    protocol: Protocol
    cohort: CohortFacts
    accept_bound: float | None = None

    def __post_init__(self) -> None:
        given = self.accept_bound
        if given is None:
            return
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given <= 1:
            raise ConfigError(f"accept_bound: expected a share above 0 and at most 1 (0.3 is 30 %), got {given!r}.")

    @property
    def bound(self) -> float:
        """The bound on failures that follows from the protocol's counts."""
        return failure_bound(self.protocol.rehearsal.cohorts, self.protocol.rehearsal.equivalent)

    @property
    def accepted(self) -> float:
        """The largest bound that is accepted."""
        return DEFAULT_BOUND if self.accept_bound is None else self.accept_bound

    @property
    def is_accepted(self) -> bool:
        """Whether the rehearsal bounds failures closely enough, in whole percent, as its line states the bound.

        A protocol that never succeeded never does.
        """
        return self.protocol.rehearsal.equivalent > 0 and is_accepted(self.bound, self.accepted)

    def notes(self) -> tuple[str, ...]:
        """Return what is more lenient than the default."""
        if self.accepted <= DEFAULT_BOUND:
            return ()
        said = f"The run accepts a bound of failure up to {100 * self.accepted:g} %"
        return (f"{said}; the default is {100 * DEFAULT_BOUND:.0f} %.",)

    def to_dict(self) -> dict[str, Any]:
        """Return it as `metrics.json` holds it, whole, so that the run can be judged again."""
        return {
            "digest": self.protocol.digest,
            "reason": self.cohort.reason,
            "accept_bound": self.accept_bound,
            "document": self.protocol.to_dict(),
            "cohort": self.cohort.to_dict(),
        }

    def held(self, ranges: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """Return it as an outcome holds it, with how far classes moved where it decided."""
        return {**self.to_dict(), "ranges": [dict(one) for one in ranges]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], *, source: str) -> AppliedProtocol:
        """Return what `to_dict` gave.

        Raises:
            ConfigError: It is not that.
        """
        return cls(
            protocol=Protocol.from_dict(content["document"], source=source),
            cohort=CohortFacts.from_dict(content["cohort"]),
            accept_bound=content["accept_bound"],
        )
