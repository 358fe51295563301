"""`protocol.yaml`: a method with its settings, what it is qualified for, and the rehearsal that shows it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from monai_unlearn import strict_yaml
from monai_unlearn.errors import ConfigError, SpecError, did_you_mean
from monai_unlearn.evaluation.decision.failure_bound import bound_line, failure_bound
from monai_unlearn.evaluation.decision.moved_range import Place, What  # noqa: TC001 - pydantic reads them
from monai_unlearn.evaluation.decision.verdict import Verdict
from monai_unlearn.staging import write_text

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator
    from pathlib import Path

SCHEMA_VERSION: Literal[1] = 1
MIN_COHORTS = 10
"""With fewer counted cohorts a protocol qualifies nothing, unless a run accepts its bound."""

GIVEN_TO_A_RUN = (
    "index_dir",
    "dataset_dir",
    "cohort_spec",
    "keyfile",
    "lineage_members",
    "output_dir",
    "checkpoint",
    "bundle_root",
    "device",
    "seed",
    "reference",
    "reference_seeds",
    "protocol",
    "accept_bound",
    "predictor",
    "num_workers",
    "checkpoint_seconds",
    "memory",
    "cache_dir",
    "subsets",
)
"""What each run is given anew, and no protocol says."""
NOT_SETTINGS = (*GIVEN_TO_A_RUN, "imports", "initialize", "finalize", "unlearn", "run", "training_configs", "method")
_SETTING = re.compile(r"[A-Za-z]\w*(::[A-Za-z0-9]\w*)*")
_ROUNDED = 0.005
"""A bound may be written in whole percent; what a run is held to is computed from the counts."""

_Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Share = Annotated[float, Field(ge=0, le=1)]
_Difference = Annotated[float, Field(ge=-1, le=1)]
_Count = Annotated[int, Field(ge=1)]
_Texts = Annotated[tuple[str, ...], Field(min_length=1)]
_Plain = str | int | float | bool | None
_Setting = _Plain | list[_Plain]


def _has_twice(keys: Iterable[Hashable]) -> bool:
    """Return whether a key occurs twice: of two rows about one thing, whoever wrote the file could mean either."""
    found = list(keys)
    return len(set(found)) < len(found)


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Bundle(_Closed):
    """The bundle that was rehearsed with.

    Attributes:
        name: Its name.
        version: Its version.
        weights: The digest of the weights that every rehearsal run revised.
    """

    name: str
    version: str
    weights: _Digest


class Patients(_Closed):
    """How many patients the training images of the forget part may be of, both inclusive."""

    min: _Count
    max: _Count


class Share(_Closed):
    """The share of the training images that the forget part may have of forget and remain, both inclusive."""

    min: _Share
    max: _Share


class QualifiedFor(_Closed):
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


class Range(_Closed):
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


class RehearsedCohort(_Closed):
    """One rehearsal cohort, in digests.

    Attributes:
        cohort: The name of its spec.
        spec: The digest of its spec.
        index: The digest of the index.
        verdict: What the protocol's revision was found to be, against the retrained networks.
        metrics: The SHA-256 of that run's `metrics.json`.
    """

    cohort: str
    spec: _Digest
    index: _Digest
    verdict: Literal[tuple(one.value for one in Verdict)]  # type: ignore[valid-type]  # the verdict's own words
    metrics: _Digest


class Rehearsal(_Closed):
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
        if _has_twice(one.metrics for one in (*self.evidence, *self.tuned_on)):
            raise ValueError("expected each run once in 'evidence' and 'tuned_on', but two have the same 'metrics'")
        if abs(self.bound - failure_bound(self.cohorts, self.equivalent)) > _ROUNDED:
            raise ValueError("expected the 'bound' that follows from 'cohorts' and 'equivalent'")
        if _has_twice(one.place for one in self.ranges):
            raise ValueError("expected one of 'ranges' for each subset and class, and for what moved")
        if self.line != bound_line(self.cohorts, self.equivalent):
            raise ValueError("expected the 'line' that follows from 'cohorts' and 'equivalent'")
        return self


class PredictedError(_Closed):
    """How far a predictor was off, at most, over the rehearsal cohorts.

    Attributes:
        subset: The subset.
        label: The true class; `class` in the file.
        error: The largest |predicted − retrained| of the mean probability of the true class.
    """

    subset: str
    label: Annotated[str, Field(alias="class")]
    error: _Share


class MeasuredPredictor(_Closed):
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
        if _has_twice((one.subset, one.label) for one in self.errors):
            raise ValueError("expected one of 'errors' for each subset and class")
        return self


class Protocol(_Closed):
    """A rehearsed protocol.

    Attributes:
        schema_version: The version of this document.
        bundle: The bundle that was rehearsed with.
        method: What `--method` takes: `name`, and the method's settings.
        settings: Further settings of the run, by their ids in `configs/unlearn.yaml`.
        budget: The share of retraining's gradient evaluations that the steps may take.
        decision: The section `decision` as it was declared, margins included.
        qualified_for: The cohorts that it is qualified for.
        rehearsal: What was rehearsed, and how it came out.
        predictors: Predictors whose error was measured along the way.
        config: Digests of the other sections of the config as rehearsed, which a run is held to; see `held_settings`.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    bundle: Bundle
    method: dict[str, _Setting]
    settings: dict[str, _Setting]
    budget: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    decision: dict[str, Any]
    qualified_for: QualifiedFor
    rehearsal: Rehearsal
    predictors: tuple[MeasuredPredictor, ...] = ()
    config: dict[str, _Digest] = {}

    @model_validator(mode="after")
    def _is_data(self) -> Protocol:
        """Refuse what a config would execute or follow: a protocol is data, whoever sent it."""
        if _has_twice(one.name for one in self.predictors):
            raise ValueError("expected each of 'predictors' once")
        if "name" not in self.method:
            raise ValueError("expected 'method' to have a 'name'")
        for name in self.settings:
            if not _SETTING.fullmatch(name) or name.partition("::")[0] in NOT_SETTINGS:
                raise ValueError("expected 'settings' to be ids of configs/unlearn.yaml that say how a run revises")
        if any(map(_is_executed, _texts([self.method, self.settings, self.decision]))):
            raise ValueError("expected plain values in 'method', 'settings' and 'decision', got an expression")
        return self

    @classmethod
    def read(cls, path: Path) -> Protocol:
        """Read a protocol.

        Raises:
            ConfigError: The file cannot be read, or is not a protocol of this version; or its counts, bound and
                evidence contradict each other.
        """
        try:
            content = path.read_text(encoding="utf-8")
            return cls.from_dict(strict_yaml.load(content, source=str(path)), source=str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: expected a protocol, but it cannot be read ({type(error).__name__}).") from None
        except SpecError as error:
            raise ConfigError(str(error)) from None

    @classmethod
    def from_dict(cls, content: object, *, source: str) -> Protocol:
        """Return a protocol from plain values.

        Raises:
            ConfigError: They are not those of a protocol; the message names the first fault and its place.
        """
        try:
            # In JSON, a list may stand for a tuple, and everything else stays strict.
            return cls.model_validate_json(json.dumps(content))
        except ValidationError as error:
            remedy = "Use the protocol as `monai-unlearn rehearse` wrote it."
            raise ConfigError(f"{source}: expected a protocol; {_first_fault(error)}. {remedy}") from None

    def to_dict(self) -> dict[str, Any]:
        """Return the document as plain values, as the file holds them."""
        return self.model_dump(mode="json", by_alias=True)

    def write(self, path: Path) -> None:
        """Write the protocol as YAML, whole or not at all."""
        write_text(path, yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True, width=120))

    @property
    def digest(self) -> str:
        """The digest of the document, however it is written."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def setting_at(section: object, name: str) -> tuple[bool, Any]:
    """Return whether a tree of settings has an id, and its value; keys of the tree may be ids themselves.

    >>> setting_at({"method": {"name": "psg"}, "train::x": 1}, "method::name"), setting_at({"a": [4]}, "a::1")
    ((True, 'psg'), (False, None))
    """
    return _at(section, name.split("::"))


def _at(section: object, path: list[str]) -> tuple[bool, Any]:
    if not path:
        return True, section
    if isinstance(section, list):
        step = int(path[0]) if path[0].isascii() and path[0].isdecimal() else len(section)
        return _at(section[step], path[1:]) if step < len(section) else (False, None)
    if not isinstance(section, Mapping):
        return False, None
    for length in range(len(path), 0, -1):
        key = "::".join(path[:length])
        if key in section:
            return _at(section[key], path[length:])
    return False, None


def _texts(value: object) -> Iterator[str]:
    """Yield every key and every text within a value."""
    if isinstance(value, str):
        yield value
    for item in value if isinstance(value, (list, tuple)) else ():
        yield from _texts(item)
    for key, item in value.items() if isinstance(value, Mapping) else ():
        yield str(key)
        yield from _texts(item)


def _is_executed(text: str) -> bool:
    """Return whether MONAI would evaluate, resolve or instantiate a text: `$…`, `@…`, `%…`, `_target_`."""
    return text.strip()[:1] in {"$", "@", "%"} or "_target_" in text or text.strip()[:1] in {"{", "["}


def _first_fault(error: ValidationError) -> str:
    """Return the first fault, with its place and no value."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        return f"'{place}' is not a key of it.{did_you_mean(key, _keys())}".removesuffix(".")
    found = str(first["msg"]).removeprefix("Value error, ")
    return f"'{place}': {found[0].lower()}{found[1:]}" if place else found


def _keys() -> tuple[str, ...]:
    """Return every key that occurs in a protocol."""
    models = (Protocol, Bundle, QualifiedFor, Rehearsal, Range, RehearsedCohort, MeasuredPredictor, PredictedError)
    return tuple(field.alias or name for model in models for name, field in model.model_fields.items())
