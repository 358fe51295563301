"""`protocol.yaml`: a method with its settings, what it is qualified for, and the rehearsal that shows it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from monai_unlearn import strict_yaml
from monai_unlearn.errors import ConfigError, SpecError, did_you_mean
from monai_unlearn.evaluation.decision.protocol_parts import (
    Bundle,
    Closed,
    Digest,
    MeasuredPredictor,
    PredictedError,
    QualifiedFor,
    Range,
    Rehearsal,
    RehearsedCohort,
    has_twice,
)
from monai_unlearn.staging import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    "estimate",
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
_Plain = str | int | float | bool | None
_Setting = _Plain | list[_Plain]


class Protocol(Closed):
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
    config: dict[str, Digest] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_data(self) -> Protocol:
        """Refuse what a config would execute or follow: a protocol is data, whoever sent it."""
        if has_twice(one.name for one in self.predictors):
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
