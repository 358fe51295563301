"""The closed schema of a cohort spec, version 1: the keys and values of a file, before predicates are parsed."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
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
    """What is forgotten together with a selected image."""

    IMAGE = "image"
    SERIES = "series"
    STUDY = "study"
    PATIENT = "patient"


class Unknown(str, Enum):
    """How to treat an image when missing metadata make the rule unknown."""

    EXCLUDE = "exclude"
    FORGET = "forget"
    REMAIN = "remain"
    FAIL = "fail"


class Implausible(str, Enum):
    """What an implausible date or age means in predicates."""

    UNKNOWN = "unknown"
    KEEP = "keep"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out keys that were not given: a new optional key changes no digest, and the output reads back."""
        return {key: value for key, value in handler(self).items() if value is not None}


_NOT_IN_NAMES = re.compile(r"[`\x00-\x1f\x7f\ud800-\udfff]")


def _check_field(name: str) -> str:
    if not name or _NOT_IN_NAMES.search(name):
        raise ValueError("expected a field's name, without backquotes and control characters")
    return name


def _check_some(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("expected at least one field")
    return names


def _as_tuple(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _form_of_names(names: object) -> str:
    return "<list>" if isinstance(names, list | tuple) else "<text>"


FieldName = Annotated[str, AfterValidator(_check_field)]
FieldNames = Annotated[
    Annotated[FieldName, Tag("<text>")]
    # Lax about the sequence alone, which YAML writes as a list; names stay strictly text.
    | Annotated[
        tuple[FieldName, ...],
        Field(strict=False, json_schema_extra={"minItems": 1}),
        AfterValidator(_check_some),
        Tag("<list>"),
    ],
    Discriminator(_form_of_names),
    AfterValidator(_as_tuple),
]


class Sample(_Closed):
    """Selective forgetting: a seeded share or number of the images that the rules select.

    Attributes:
        fraction: The share of units to forget, in (0, 1].
        count: The number of units to forget, at least 1.
        by: What a unit is.
        stratify: The fields by whose combinations of values the sample is stratified.
        seed: Another seed gives another sample.
    """

    fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    by: Literal["image", "patient"] = "image"
    stratify: FieldNames | None = None
    seed: int = 0

    @model_validator(mode="after")
    def _one_size(self) -> Sample:
        if (self.fraction is None) == (self.count is None):
            raise ValueError("expected exactly one of 'fraction' and 'count'")
        return self


class Counts(_Closed):
    """Bounds of the number of images or patients in the forget part, both inclusive."""

    min: Annotated[int, Field(ge=0)] | None = None
    max: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Counts:
        _check_order(self.min, self.max)
        return self


class Share(_Closed):
    """Bounds of the forget part's share of the cohort's images, in [0, 1], both inclusive."""

    min: Annotated[float, Field(ge=0, le=1)] | None = None
    max: Annotated[float, Field(ge=0, le=1)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Share:
        _check_order(self.min, self.max)
        return self


class ValueFile(_Closed):
    """A list of values in a file beside the spec: one value per line, or a column of a CSV.

    Attributes:
        file: The file's path, relative to the spec's folder and inside it.
        column: The column of a CSV; None for a text file.
    """

    file: Annotated[str, Field(min_length=1)]
    column: str | None = None


class Least(_Closed):
    """The smallest number of images that every class must keep in the remain part."""

    min: Annotated[int, Field(ge=1)]


class LeastMatched(_Closed):
    """The smallest number of values of a value set that must occur in the index."""

    min: Annotated[int, Field(ge=1)]


_SET_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"


def _check_set_name(name: str) -> str:
    if not re.fullmatch(_SET_NAME[1:-1], name):
        raise ValueError(
            "expected the name of a value set to be up to 64 letters, digits and '_', beginning with a letter or '_'"
        )
    return name


ValueSetName = Annotated[str, AfterValidator(_check_set_name), WithJsonSchema({"type": "string", "pattern": _SET_NAME})]


def _check_some_sets(sets: dict[str, LeastMatched]) -> dict[str, LeastMatched]:
    if not sets:
        raise ValueError("expected 'all', or at least one value set")
    return sets


def _form_of_matched(matched: object) -> str:
    return "<sets>" if isinstance(matched, dict) else "<word>"


Matched = Annotated[
    Annotated[Literal["all"], Tag("<word>")]
    | Annotated[
        dict[ValueSetName, LeastMatched],
        AfterValidator(_check_some_sets),
        Field(json_schema_extra={"minProperties": 1}),
        Tag("<sets>"),
    ],
    Discriminator(_form_of_matched),
]


class Expect(_Closed):
    """What the author expects the cohort to be; anything else stops the run.

    Attributes:
        images: Bounds of the number of images in the forget part.
        patients: Bounds of its number of patients.
        share: Bounds of its share of the images.
        remain_per_class: How many images every class must keep.
        matched: `all`, where every value of every list must occur in the index, or how many values of which sets
            must. None: for `reason: consent_withdrawal`, all of every list on a field that identifies people; for
            other reasons, and of other lists, nothing is expected.
    """

    images: Counts | None = None
    patients: Counts | None = None
    share: Share | None = None
    remain_per_class: Least | None = None
    matched: Matched | None = None


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

    `not` takes no list, because a list would leave open whether all or any of it is meant.
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
    def _not_empty(self) -> Group:
        if self.all is None and self.any is None and self.not_ is None:
            raise ValueError("expected 'all', 'any' or 'not'")
        return self


if TYPE_CHECKING:
    Condition = str | list[Any] | Group
else:
    # A named alias, because conditions contain conditions; mypy sees the simpler alias above.
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


def _form_of_values(values: object) -> str:
    if isinstance(values, list):
        return "<list>"
    return "<file>" if isinstance(values, dict | ValueSource) else "<value>"


def _form_of_absent(values: object) -> str:
    if isinstance(values, list):
        return "<list>"
    return "<file>" if isinstance(values, dict | ValueFile) else "<text>"


def _form_of_value(value: object) -> str:
    if isinstance(value, float):
        return "<number>"
    return "<whole>" if isinstance(value, int) and not isinstance(value, bool) else "<text>"


def _check_values(values: list[Scalar]) -> list[Scalar]:
    if not values:
        raise ValueError("expected at least one value")
    return values


Scalar = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[int, Tag("<whole>")] | Annotated[float, Tag("<number>")],
    Discriminator(_form_of_value),
    # One type each: a whole number would match two, and editors require that exactly one matches.
    WithJsonSchema({"type": ["string", "number"]}),
]
Values = Annotated[list[Scalar], AfterValidator(_check_values), Field(json_schema_extra={"minItems": 1})]
Absent = Annotated[
    Annotated[str, Field(min_length=1), Tag("<text>")]
    | Annotated[Values, Tag("<list>")]
    | Annotated[ValueFile, Tag("<file>")],
    Discriminator(_form_of_absent),
]


class ValueSource(_Closed):
    """The values of a set, from a file or written out, with those that are known to have no images here.

    Attributes:
        file: The file's path, relative to the spec's folder and inside it.
        column: The column of a CSV; None for a text file.
        values: The values, where they are not in a file.
        absent: Values that are known not to occur in the index: a file, or the values.
    """

    file: Annotated[str, Field(min_length=1)] | None = None
    column: str | None = None
    values: Values | None = None
    absent: Absent | None = None

    @model_validator(mode="after")
    def _one_source(self) -> ValueSource:
        if (self.file is None) == (self.values is None):
            raise ValueError("expected exactly one of 'file' and 'values'")
        if self.column is not None and self.file is None:
            raise ValueError("expected 'file' beside 'column'")
        return self


ValueSet = Annotated[
    Annotated[Values, Tag("<list>")] | Annotated[ValueSource, Tag("<file>")] | Annotated[Scalar, Tag("<value>")],
    Discriminator(_form_of_values),
]


class SpecDocument(_Closed):
    """A cohort spec as its file holds it."""

    schema_version: Annotated[int, Field(ge=1, le=1)]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    reason: Annotated[Reason, Field(strict=False)]
    forget: Condition
    population: Condition | None = None
    value_sets: dict[ValueSetName, ValueSet] | None = None
    absent: Absent | None = None
    scope: Annotated[Scope, Field(strict=False)] = Scope.IMAGE
    unknown: Annotated[Unknown, Field(strict=False)] = Unknown.EXCLUDE
    why: Annotated[str, Field(min_length=1)] | None = None
    implausible: Annotated[Implausible, Field(strict=False)] = Implausible.UNKNOWN
    sample: Sample | None = None
    expect: Expect | None = None
    allow_empty_record: bool = False
