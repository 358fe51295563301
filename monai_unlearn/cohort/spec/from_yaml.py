"""A spec from its YAML text: every fault is reported at once, with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from monai_unlearn.cohort.language.located import Located
from monai_unlearn.cohort.language.rule_reader import RuleReader
from monai_unlearn.cohort.language.source import Span, combined
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.spec.content import (
    EMPTY_RECORD,
    SpecContent,
    population_faults,
    type_faults,
    unknown_sets,
)
from monai_unlearn.cohort.spec.document import SpecDocument
from monai_unlearn.cohort.spec.schema_faults import hostile_faults, schema_faults
from monai_unlearn.cohort.spec.value_sets import ValueSets
from monai_unlearn.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from monai_unlearn.cohort.language.located import Path as KeyPath
    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.language.source import Fault


def content_of_yaml(text: str, *, source: str, folder: Path | None) -> SpecContent:
    """Read a spec from its text.

    Args:
        text: The YAML document.
        source: How messages name it.
        folder: Where the files of its value sets are; None where the text comes from no file.

    Raises:
        SpecError: The text is not a valid spec; the message lists every fault with its line.
    """
    spec = Located.read(text, source)
    hostile = hostile_faults(spec)
    if not isinstance(spec.content, dict):
        raise combined(hostile.values() or [_no_mapping(spec)], source)
    rules = RuleReader(spec)
    forget, population = (_predicate(key, spec, rules, hostile) for key in ("forget", "population"))
    document = _document(spec, rules, hostile)
    sets = ValueSets(spec, folder)
    value_sets = sets.read(document.value_sets or {})
    absent = sets.read_absent(document.absent, document.value_sets or {})
    faults = [*hostile.values(), *rules.faults, *sets.faults, *type_faults(rules.parsed, value_sets)]
    faults += [*population_faults(population), *_unknown_sets(spec, document)]
    if faults or forget is None:  # a rule without a predicate has a fault
        raise combined(faults, source)
    content = SpecContent(
        document=document,
        forget=forget,
        population=population,
        value_sets=value_sets,
        absent=absent,
        stratify=tuple(_stratify_fields(spec, document)),
    )
    if content.holds_for_empty_record:
        raise combined([spec.fault_in_key(("forget",), EMPTY_RECORD)], source)
    return content


def _predicate(key: str, spec: Located, rules: RuleReader, hostile: Mapping[KeyPath, Fault]) -> Predicate | None:
    if key not in spec.content or (key,) in hostile:
        return None
    return rules.read((key,), spec.content[key])


def _document(spec: Located, rules: RuleReader, hostile: Mapping[KeyPath, Fault]) -> SpecDocument:
    """Check the keys and plain values of a spec; report their faults with those of its predicates."""
    try:
        return SpecDocument.model_validate(spec.content)
    except ValidationError as error:
        # The value sets cannot be read then: what refers to them is not checked.
        others = [*hostile.values(), *rules.faults, *type_faults(rules.parsed, None)]
        raise combined([*others, *schema_faults(spec, error, known=hostile)], spec.document.name) from None


def _unknown_sets(spec: Located, document: SpecDocument) -> Iterator[Fault]:
    for name in unknown_sets(document):
        hint = did_you_mean(name, document.value_sets or {})
        message = f"expect: matched names '{name}', which is not in value_sets.{hint}"
        yield spec.fault_in_key(("expect", "matched", name), message)


def _stratify_fields(spec: Located, document: SpecDocument) -> Iterator[Field]:
    """Yield the fields that the sample is stratified by, with their places: an index may not have them."""
    names = document.sample.stratify if document.sample is not None and document.sample.stratify is not None else ()
    key: KeyPath = ("sample", "stratify")
    is_single = bool(names) and isinstance(spec.content["sample"]["stratify"], str)
    for number, name in enumerate(names):
        source = spec.source(key if is_single else (*key, number), name)
        yield Field(name, at=Span(source, 0, len(name)))


def _no_mapping(spec: Located) -> Fault:
    keys = "schema_version, name, reason and forget"
    return spec.fault_in_value((), f"expected a mapping with the keys {keys}, got {_kind(spec.content)}.")


def _kind(content: Any) -> str:  # noqa: ANN401 - a YAML document is any tree of plain values
    if content is None:
        return "an empty document"
    return "a list" if isinstance(content, list) else "a single value"
