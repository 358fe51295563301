"""A cohort spec: read from YAML, checked as a whole, and ready to be resolved on an index."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from monai_unlearn import strict_yaml
from monai_unlearn.cohort.language.empty_record import value_of_empty_record
from monai_unlearn.cohort.language.located import Located
from monai_unlearn.cohort.language.logic import rules_of
from monai_unlearn.cohort.language.rule_reader import RuleReader
from monai_unlearn.cohort.language.source import Fault, combined
from monai_unlearn.cohort.language.term import statistics_of
from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.cohort.spec.document import Expect, Reason, Sample, Scope, SpecDocument, Unknown
from monai_unlearn.cohort.spec.schema_faults import hostile_faults, schema_faults
from monai_unlearn.cohort.spec.value_sets import ValueSets
from monai_unlearn.cohort.typing.bind import examine
from monai_unlearn.cohort.typing.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from monai_unlearn.cohort import Cohort
    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.index import Index

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class CohortSpec:
    """Which images a deployed model must forget, and what must hold of them.

    Attributes:
        name: Lower-case letters, digits and '-'.
        reason: Why the images must be forgotten.
        forget: True for the images to forget, false for those that remain.
        value_sets: The values behind each `@name`, sorted.
        population: True for the images that the cohort is about at all; None, for all of them.
        scope: How far catching one image reaches.
        unknown: What becomes of undetermined images.
        sample: Which share of the caught images to forget; None, all of them.
        expect: What the author expects to catch.
        allow_empty_record: Whether `forget` may hold for an image of which nothing is known.
        source: How messages name the spec; no part of what it is.
    """

    name: str
    reason: Reason
    forget: Predicate
    population: Predicate | None = None
    value_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scope: Scope = Scope.IMAGE
    unknown: Unknown = Unknown.EXCLUDE
    sample: Sample | None = None
    expect: Expect | None = None
    allow_empty_record: bool = False
    source: str = field(default="spec", compare=False)

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
            folder: Where the files of its value sets are; null where it stands in no file.

        Raises:
            SpecError: The text is not a valid spec; the message lists every fault with its line.
        """
        spec = Located.read(text, source)
        hostile = hostile_faults(spec)
        if not isinstance(spec.content, dict):
            raise combined(hostile.values() or [_no_mapping(spec)], source)
        rules = RuleReader(spec)
        predicates = {
            key: rules.read((key,), spec.content[key])
            for key in ("forget", "population")
            if key in spec.content and (key,) not in hostile
        }
        faults = [*hostile.values(), *rules.faults]
        try:
            document = SpecDocument.model_validate(spec.content)
        except ValidationError as error:
            faults += [*schema_faults(spec, error, known=hostile), *_type_faults(rules.parsed, None)]
            raise combined(faults, source) from None
        sets = ValueSets(spec, folder)
        value_sets = sets.read(document.value_sets or {})
        faults += [*sets.faults, *_type_faults(rules.parsed, value_sets)]
        faults += _population_faults(predicates.get("population"))
        if faults:
            raise combined(faults, source)
        return cls._of(document, predicates, value_sets, spec)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], *, source: str = "spec") -> CohortSpec:
        """Return the spec whose `to_dict` this is.

        Raises:
            SpecError: It is none.
        """
        given = {key: value for key, value in content.items() if value is not None}
        text = json.dumps(given, ensure_ascii=True, indent=1)
        return cls.parse(text, source=source)

    @classmethod
    def _of(
        cls,
        document: SpecDocument,
        predicates: dict[str, Predicate | None],
        value_sets: Mapping[str, tuple[str, ...]],
        spec: Located,
    ) -> CohortSpec:
        forget = predicates["forget"]
        if forget is None:
            raise AssertionError("a rule without a predicate has a fault")
        if not document.allow_empty_record and value_of_empty_record(forget):
            raise combined([_empty_record(spec)], spec.document.name)
        return cls(
            name=document.name,
            reason=document.reason,
            forget=forget,
            population=predicates.get("population"),
            value_sets=value_sets,
            scope=document.scope,
            unknown=document.unknown,
            sample=document.sample,
            expect=document.expect,
            allow_empty_record=document.allow_empty_record,
            source=spec.document.name,
        )

    @property
    def rules(self) -> tuple[Predicate, ...]:
        """What must all hold of an image to be forgotten, in the author's order."""
        return rules_of(self.forget)

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain values, its predicates in canonical text: what the digest covers."""
        return {
            "schema_version": SCHEMA_VERSION,
            "name": self.name,
            "reason": self.reason.value,
            "forget": str(self.forget),
            "population": None if self.population is None else str(self.population),
            "value_sets": {name: list(values) for name, values in self.value_sets.items()} or None,
            "scope": self.scope.value,
            "unknown": self.unknown.value,
            "sample": None if self.sample is None else self.sample.model_dump(),
            "expect": None if self.expect is None else self.expect.model_dump(),
            "allow_empty_record": self.allow_empty_record,
        }

    @property
    def digest(self) -> str:
        """`sha256:…` of what the spec says, however it is laid out."""
        return digest_of(self.to_dict())

    def resolve(self, index: Index) -> Cohort:
        """Find the parts of an index.

        Raises:
            SpecError: A field or value does not fit the index.
            CohortError: The cohort is empty, leaves nothing, or is not what the spec expects.
            IndexReadError: The index cannot be read.
        """
        resolve: Callable[[CohortSpec, Index], Cohort] = import_module("monai_unlearn.cohort.resolve.resolve").resolve
        return resolve(self, index)


def _type_faults(predicates: Sequence[Predicate], value_sets: Mapping[str, tuple[str, ...]] | None) -> list[Fault]:
    """Return what can be known to be wrong without an index: types of DICOM keywords, names of value sets.

    Where the value sets cannot be read, what refers to them is left out.
    """
    return examine(predicates, Columns.of_any_index(), value_sets=value_sets)[1]


def _population_faults(population: Predicate | None) -> Iterator[Fault]:
    for call in statistics_of([population] if population else []):
        message = f"{call.function} is computed of the population: the population cannot be chosen by it."
        if call.at is not None:
            yield call.at.fault(message, names_field=True)


def _no_mapping(spec: Located) -> Fault:
    keys = "schema_version, name, reason and forget"
    return spec.fault_in_value((), f"expected a mapping with the keys {keys}, got {_kind(spec.content)}.")


def _kind(content: object) -> str:
    if content is None:
        return "an empty document"
    return "a list" if isinstance(content, list) else "a single value"


def _empty_record(spec: Located) -> Fault:
    return spec.fault_in_key(
        ("forget",),
        "'forget' holds for an image of which nothing is known, so that every unread tag would be forgotten. "
        "Add a comparison that must hold too, or write allow_empty_record: true if that is meant.",
    )
