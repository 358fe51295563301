"""The parts of a protocol: the bundle, the cohorts that it is qualified for, the rehearsal, and measured predictors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from monai_unlearn.evaluation.decision.failure_bound import bound_line, failure_bound
from monai_unlearn.evaluation.decision.moved_range import Place, What  # noqa: TC001 - pydantic reads them
from monai_unlearn.evaluation.decision.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

_ROUNDED = 0.005
"""A bound may be written in whole percent; what a run is held to is computed from the counts."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Share = Annotated[float, Field(ge=0, le=1)]
_Difference = Annotated[float, Field(ge=-1, le=1)]
_Count = Annotated[int, Field(ge=1)]
_Texts = Annotated[tuple[str, ...], Field(min_length=1)]


def has_twice(keys: Iterable[Hashable]) -> bool:
    """Return whether a key occurs twice: of two rows about one thing, whoever wrote the file could mean either."""
    found = list(keys)
    return len(set(found)) < len(found)


class Closed(BaseModel):
    """A section that knows its keys, takes no other type for another, and shows no value in a message."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Bundle(Closed):
    """The bundle that was rehearsed with.

    Attributes:
        name: Its name.
        version: Its version.
        weights: The digest of the weights that every rehearsal run revised.
    """

    name: str
    version: str
    weights: Digest


class Patients(Closed):
    """How many patients the training images of the forget part may be of, both inclusive."""

    min: _Count
    max: _Count


class Share(Closed):
    """The share of the training images that the forget part may have of forget and remain, both inclusive."""

    min: _Share
    max: _Share


class QualifiedFor(Closed):
    """The cohorts that a protocol is qualified for: those like its counted rehearsal cohorts.

    Attributes:
        reasons: Reasons of their specs.
        patients: Patients of the forget training images.
        share: The forget part's share of the training images.
        classes: Classes that every forget part had.
    """

    reasons: _Texts
    patients: Patients
    share: Share
    classes: _Texts


class Range(Closed):
    """How far a class moved in the rehearsal, over the counted cohorts that came out equivalent.

    Attributes:
        subset: The subset, such as `forget_train`.
        label: The true class; `class` in the file.
        what: What moved: see `moved_range.What`.
        predicted: Of `classified`, the class that images were classified as; else null.
        low: The smallest lower 90 % limit, over cohorts; the limits are those over patients.
        high: The largest upper one.
    """

    subset: str
    label: Annotated[str, Field(alias="class")]
    what: What = "mean_probability"
    predicted: str | None = None
    low: _Difference
    high: _Difference

    @property
    def place(self) -> Place:
        """What it is about."""
        return self.subset, self.label, self.what, self.predicted


class RehearsedCohort(Closed):
    """One rehearsal cohort, in digests.

    Attributes:
        cohort: The name of its spec.
        spec: The digest of its spec.
        index: The digest of the index.
        verdict: What the protocol's revision was found to be, against the retrained networks.
        metrics: The SHA-256 of that run's `metrics.json`.
    """

    cohort: str
    spec: Digest
    index: Digest
    verdict: Literal[tuple(one.value for one in Verdict)]  # type: ignore[valid-type]  # the verdict's own words
    metrics: Digest


class Rehearsal(Closed):
    """What was rehearsed, and how it came out.

    Attributes:
        cohorts: How many cohorts were counted: those that chose no setting.
        equivalent: How many of them came out equivalent.
        bound: The 95 % upper limit of the share of failures; see `failure_bound`.
        line: The same in words.
        least_moved: The smallest distance from the original that a counted, equivalent revision had on its forget
            part; see `unchanged.moved`.
        ranges: How far each class moved in the counted cohorts that came out equivalent: its mean probability, what
            its images are classified as, how many patients' predictions moved, and by how much.
        evidence: The counted cohorts.
        tuned: How many further cohorts chose the settings, and are not counted.
        tuned_on: These.
    """

    cohorts: _Count
    equivalent: Annotated[int, Field(ge=0)]
    bound: _Share
    line: str
    least_moved: _Share
    ranges: tuple[Range, ...]
    evidence: Annotated[tuple[RehearsedCohort, ...], Field(min_length=1)]
    tuned: Annotated[int, Field(ge=0)] = 0
    tuned_on: tuple[RehearsedCohort, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> Rehearsal:
        """Refuse counts, bound and line that do not follow from the evidence."""
        found = sum(one.verdict == Verdict.EQUIVALENT.value for one in self.evidence)
        if (self.cohorts, self.equivalent) != (len(self.evidence), found):
            raise ValueError("expected 'cohorts' and 'equivalent' to be the numbers that 'evidence' shows")
        if self.tuned != len(self.tuned_on):
            raise ValueError("expected 'tuned' to be the number of cohorts in 'tuned_on'")
        names = [one.spec for one in (*self.evidence, *self.tuned_on)]
        if len(set(names)) < len(names):
            raise ValueError("expected each cohort once in 'evidence' and 'tuned_on'")
        if has_twice(one.metrics for one in (*self.evidence, *self.tuned_on)):
            raise ValueError("expected each run once in 'evidence' and 'tuned_on', but two have the same 'metrics'")
        if abs(self.bound - failure_bound(self.cohorts, self.equivalent)) > _ROUNDED:
            raise ValueError("expected the 'bound' that follows from 'cohorts' and 'equivalent'")
        if has_twice(one.place for one in self.ranges):
            raise ValueError("expected one of 'ranges' for each subset and class, and for what moved")
        if self.line != bound_line(self.cohorts, self.equivalent):
            raise ValueError("expected the 'line' that follows from 'cohorts' and 'equivalent'")
        return self


class PredictedError(Closed):
    """How far a predictor was off, at most, over the rehearsal cohorts.

    Attributes:
        subset: The subset.
        label: The true class; `class` in the file.
        error: The largest |predicted − retrained| of the mean probability of the true class.
    """

    subset: str
    label: Annotated[str, Field(alias="class")]
    error: _Share


class MeasuredPredictor(Closed):
    """A predictor of what a retrained network would give, with its measured error.

    Attributes:
        name: Its registered name.
        reasons: The reasons of the cohorts that it was measured on.
        cohorts: How many these were.
        seeds: Of how many proxy seeds each prediction was made.
        errors: The largest errors, by subset and class.
    """

    name: str
    reasons: _Texts
    cohorts: _Count
    seeds: _Count
    errors: tuple[PredictedError, ...]

    @model_validator(mode="after")
    def _says_once(self) -> MeasuredPredictor:
        if has_twice((one.subset, one.label) for one in self.errors):
            raise ValueError("expected one of 'errors' for each subset and class")
        return self
