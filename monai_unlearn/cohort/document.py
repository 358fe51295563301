"""The closed schema of a cohort spec, version 1: what a file may say, before its predicates are read."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from typing_extensions import TypeAliasType


class Reason(str, Enum):
    """Why the images must be forgotten; it heads the model-card diff."""

    DEVICE_DEPRECATION = "device_deprecation"
    CONSENT_WITHDRAWAL = "consent_withdrawal"
    LABEL_ERROR = "label_error"
    ANATOMICAL_OUTLIER = "anatomical_outlier"
    POLICY_CHANGE = "policy_change"
    OTHER = "other"


class Scope(str, Enum):
    """How far catching one image reaches."""

    IMAGE = "image"
    SERIES = "series"
    STUDY = "study"
    PATIENT = "patient"


class Unknown(str, Enum):
    """What becomes of an image whose tags do not say whether it is meant."""

    EXCLUDE = "exclude"
    FORGET = "forget"
    REMAIN = "remain"
    FAIL = "fail"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Sample(_Closed):
    """Selective forgetting: a seeded share or number of what the rules caught.

    Attributes:
        fraction: The share of units to forget, in (0, 1].
        count: The number of units to forget, at least 1.
        by: What a unit is.
        seed: Another seed draws anew.
    """

    fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    by: Literal["image", "patient"] = "image"
    seed: int = 0

    @model_validator(mode="after")
    def _one_size(self) -> Sample:
        if (self.fraction is None) == (self.count is None):
            raise ValueError("expected exactly one of 'fraction' and 'count'")
        return self


class Counts(_Closed):
    """Bounds of a number of images or patients in the forget part, both included."""

    min: Annotated[int, Field(ge=0)] | None = None
    max: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Counts:
        _check_order(self.min, self.max)
        return self


class Share(_Closed):
    """Bounds of the forget part's share of the cohort's images, in [0, 1], both included."""

    min: Annotated[float, Field(ge=0, le=1)] | None = None
    max: Annotated[float, Field(ge=0, le=1)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Share:
        _check_order(self.min, self.max)
        return self


class Expect(_Closed):
    """What the author expects to catch; anything else stops the run."""

    images: Counts | None = None
    patients: Counts | None = None
    share: Share | None = None


def _check_order(low: float | None, high: float | None) -> None:
    if low is None and high is None:
        raise ValueError("expected 'min', 'max' or both")
    if low is not None and high is not None and low > high:
        raise ValueError("expected 'min' not to be above 'max'")


def _form(condition: object) -> str:
    if isinstance(condition, list):
        return "<list>"
    return "<group>" if isinstance(condition, dict | Group) else "<text>"


def _form_of_not(condition: object) -> str:
    return "<group>" if isinstance(condition, dict | Group) else "<text>"


class Group(_Closed):
    """Conditions joined: every one of `all`, at least one of `any`, and not `not`.

    `not` takes no list: it would not say whether all of the list is meant or any of it.
    """

    all: Annotated[list[Condition], Field(min_length=1)] | None = None
    any: Annotated[list[Condition], Field(min_length=1)] | None = None
    not_: (
        Annotated[
            Annotated[str, Tag("<text>")] | Annotated[Group, Tag("<group>")],
            Discriminator(_form_of_not),
        ]
        | None
    ) = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _says_something(self) -> Group:
        if self.all is None and self.any is None and self.not_ is None:
            raise ValueError("expected 'all', 'any' or 'not'")
        return self


if TYPE_CHECKING:
    Condition = str | list[Any] | Group
else:
    # A named alias, because a condition holds conditions; mypy follows it no further than above.
    Condition = TypeAliasType(
        "Condition",
        Annotated[
            Annotated[str, Tag("<text>")]
            | Annotated[list["Condition"], Field(min_length=1), Tag("<list>")]
            | Annotated[Group, Tag("<group>")],
            Discriminator(_form),
        ],
    )
Group.model_rebuild()


class SpecDocument(_Closed):
    """A cohort spec as it stands in its file."""

    schema_version: Annotated[int, Field(ge=1, le=1)]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    reason: Annotated[Reason, Field(strict=False)]
    forget: Condition
    population: Condition | None = None
    scope: Annotated[Scope, Field(strict=False)] = Scope.IMAGE
    unknown: Annotated[Unknown, Field(strict=False)] = Unknown.EXCLUDE
    sample: Sample | None = None
    expect: Expect | None = None
    allow_empty_record: bool = False
