"""A cohort spec: which images a model must forget, read as a whole and ready to be resolved on an index."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn import strict_yaml
from monai_unlearn.cohort.language.logic import rules_of
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.cohort.spec.document import Implausible, Scope, Unknown
from monai_unlearn.cohort.spec.from_dict import content_of_dict
from monai_unlearn.cohort.spec.from_yaml import content_of_yaml
from monai_unlearn.cohort.spec.value_sets import EVERY_LIST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.resolve.cohort import Cohort
    from monai_unlearn.cohort.spec.content import SpecContent
    from monai_unlearn.cohort.spec.document import Expect, Reason, Sample
    from monai_unlearn.index import Index

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class CohortSpec:
    """Which images a deployed model must forget, and what must hold of them.

    >>> spec = CohortSpec.parse('''
    ... schema_version: 1
    ... name: retire-camera
    ... reason: device_deprecation
    ... forget:
    ...   - device == Cirrus 800 FA
    ...   - acquired < 2019-01-01
    ... ''')
    >>> for rule in spec.rules:
    ...     print(rule)
    device == Cirrus 800 FA
    acquired < 2019-01-01
    >>> spec.unknown.value
    'exclude'
    >>> CohortSpec.from_dict(spec.to_dict()) == spec
    True

    The digest covers what the spec says, not its layout:

    >>> spec.digest
    'sha256:97022e2fe3306b01787e4b2448c7b6c52ae97a39f5a7074b5f6a570cf6456c42'

    Attributes:
        name: Lower-case letters, digits and '-'.
        reason: Why the images must be forgotten.
        forget: True for the images to forget, false for those that remain.
        value_sets: The values behind each `@name`, sorted.
        absent: The values that are known not to occur in the index, by value set; under `*`, for every list.
        population: True for the images that the cohort is about; None, for all images.
        scope: What is forgotten together with a selected image.
        unknown: What becomes of undetermined images.
        why: Why undetermined images may be left out, in the author's words.
        implausible: What an implausible date or age means: unknown, or what it says.
        sample: Which share of the selected images to forget; None, all of them.
        stratify: The fields that the sample is stratified by, each with its place in the spec's file, if it has
            one. Always the fields that `sample.stratify` names; not part of equality or digest.
        expect: What the author expects to forget and to keep.
        allow_empty_record: Whether `forget` may hold for an image whose every tag is missing.
        source: How messages name the spec; not part of equality or digest.
    """

    name: str
    reason: Reason
    forget: Predicate
    population: Predicate | None = None
    value_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scope: Scope = Scope.IMAGE
    unknown: Unknown = Unknown.EXCLUDE
    why: str | None = None
    implausible: Implausible = Implausible.UNKNOWN
    sample: Sample | None = None
    expect: Expect | None = None
    allow_empty_record: bool = False
    stratify: tuple[Field, ...] = field(default=(), compare=False, repr=False)
    source: str = field(default="spec", compare=False)

    def __post_init__(self) -> None:
        names = self.sample.stratify or () if self.sample is not None else ()
        if tuple(field.name for field in self.stratify) != names:
            object.__setattr__(self, "stratify", tuple(map(Field, names)))

    @classmethod
    def read(cls, path: Path | str) -> CohortSpec:
        """Read a spec from a YAML file.

        Raises:
            SpecError: The file cannot be read or is not a valid spec; the message lists every fault
                with its line.
        """
        path = Path(path)
        return cls.parse(strict_yaml.read(path), source=str(path), folder=path.parent)

    @classmethod
    def parse(cls, text: str, *, source: str = "spec", folder: Path | None = None) -> CohortSpec:
        """Read a spec from its text.

        Args:
            text: The YAML document.
            source: How messages name it.
            folder: Where the files of its value sets are; None where the text comes from no file.

        Raises:
            SpecError: The text is not a valid spec; the message lists every fault with its line.
        """
        return cls._of(content_of_yaml(text, source=source, folder=folder), source)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], *, source: str = "spec") -> CohortSpec:
        """Return the spec whose `to_dict` this is; it has the same digest.

        Args:
            content: The canonical dictionary, also after a round trip through JSON.
            source: How messages name it.

        Raises:
            SpecError: The dictionary is not the canonical form of a valid spec.
        """
        return cls._of(content_of_dict(content, source=source), source)

    @classmethod
    def _of(cls, content: SpecContent, source: str) -> CohortSpec:
        document = content.document
        return cls(
            name=document.name,
            reason=document.reason,
            forget=content.forget,
            population=content.population,
            value_sets=content.value_sets,
            absent=content.absent,
            scope=document.scope,
            unknown=document.unknown,
            why=document.why,
            implausible=document.implausible,
            sample=document.sample,
            expect=document.expect,
            allow_empty_record=document.allow_empty_record,
            stratify=content.stratify,
            source=source,
        )

    @property
    def predicates(self) -> tuple[Predicate, ...]:
        """The conditions of the spec: the population, if it has one, and `forget`."""
        return (self.forget,) if self.population is None else (self.population, self.forget)

    @property
    def rules(self) -> tuple[Predicate, ...]:
        """What must all hold of an image to be forgotten, in the author's order."""
        return rules_of(self.forget)

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain values, its predicates in canonical text: what the digest covers."""
        # Later keys are left out where they are not given, so that they change no digest.
        later = {"why": self.why, "absent": _as_list(self.absent.get(EVERY_LIST))}
        return {
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "reason": self.reason.value,
            "forget": str(self.forget),
            "population": None if self.population is None else str(self.population),
            "value_sets": {name: self._value_set(name) for name in self.value_sets} or None,
            "scope": self.scope.value,
            "unknown": self.unknown.value,
            # Only where it is not the default, so that specs without the key keep their digests.
            **({"implausible": self.implausible.value} if self.implausible is not Implausible.UNKNOWN else {}),
            "sample": None if self.sample is None else self.sample.model_dump(),
            "expect": None if self.expect is None else self.expect.model_dump(),
            "allow_empty_record": self.allow_empty_record,
            **{key: value for key, value in later.items() if value is not None},
        }

    def to_yaml(self) -> str:
        """Return the spec as a YAML document, its lists of values included: a spec with the same digest."""
        import yaml

        plain = {key: _without_nulls(value) for key, value in self.to_dict().items() if value is not None}
        return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120))

    def _value_set(self, name: str) -> list[str] | dict[str, list[str]]:
        values, absent = list(self.value_sets[name]), _as_list(self.absent.get(name))
        return values if absent is None else {"values": values, "absent": absent}

    @property
    def digest(self) -> str:
        """`sha256:…` of what the spec says, however it is laid out."""
        return digest_of(self.to_dict())

    def resolve(self, index: Index) -> Cohort:
        """Sort the images of an index into the forget, remain and undetermined part.

        Raises:
            SpecError: A field or value does not fit the index.
            CohortError: The cohort is empty, leaves nothing, or is not what the spec expects.
            IndexReadError: The index cannot be read.
        """
        from monai_unlearn.cohort.resolve.resolve import resolve

        return resolve(self, index)


def _as_list(values: tuple[str, ...] | None) -> list[str] | None:
    return list(values) if values else None


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return value
