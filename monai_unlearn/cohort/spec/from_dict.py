"""A spec from its canonical dictionary: what `CohortSpec.to_dict` returns and a manifest holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from monai_unlearn.cohort.language.parse import parse_source
from monai_unlearn.cohort.language.predicate import Predicate
from monai_unlearn.cohort.language.source import Source, combined, shown
from monai_unlearn.cohort.spec.content import (
    EMPTY_RECORD,
    SpecContent,
    population_faults,
    type_faults,
    unknown_sets,
)
from monai_unlearn.cohort.spec.document import SpecDocument, ValueSource
from monai_unlearn.cohort.spec.value_sets import EVERY_LIST, MAX_VALUES, ValueSetError, distinct_values
from monai_unlearn.errors import SpecError
from monai_unlearn.strict_yaml import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from monai_unlearn.cohort.language.source import Fault

# All conditions of a spec joined into one text: quotes may be doubled, and each of 5,000 values gets an "and".
MAX_LENGTH = 4 * MAX_BYTES


def content_of_dict(content: Mapping[str, Any], *, source: str) -> SpecContent:
    """Read a spec from its canonical dictionary.

    Args:
        content: What `CohortSpec.to_dict` returned, also after a round trip through JSON.
        source: How messages name it.

    Raises:
        SpecError: The dictionary is not the canonical form of a valid spec.
    """
    document = _document(content, source)
    value_sets = dict(_value_sets(document, source))
    forget = _predicate("forget", str(document.forget), source)
    population = None if document.population is None else _predicate("population", str(document.population), source)
    _check("forget", type_faults([forget], value_sets), source)
    if population is not None:
        _check("population", [*type_faults([population], value_sets), *population_faults(population)], source)
    if unknown_sets(document):
        raise _not_canonical(source, "expect.matched")
    absent = dict(_absent(document, source))
    read = SpecContent(document=document, forget=forget, population=population, value_sets=value_sets, absent=absent)
    if read.holds_for_empty_record:
        raise SpecError(f"{source}: {EMPTY_RECORD}")
    return read


def _document(content: Mapping[str, Any], source: str) -> SpecDocument:
    for key in ("forget", "population"):
        # A SpecDocument takes nested lists and groups as well; here a condition is one text.
        if not isinstance(content.get(key), str | None):
            raise _not_canonical(source, key)
    try:
        return SpecDocument.model_validate(content)
    except ValidationError as error:
        places = {".".join(map(str, _keys(detail["loc"]))) for detail in error.errors(include_url=False)}
        raise _not_canonical(source, *sorted(places)) from None


def _keys(location: tuple[str | int, ...]) -> Iterator[str | int]:
    """Yield the steps of a pydantic location that are keys, without its marks such as `<text>`."""
    return (step for step in location if not str(step).startswith("<"))


def _not_canonical(source: str, *places: str) -> SpecError:
    where = ", ".join(f"'{shown(place)}'" if place else "the top level" for place in places)
    return SpecError(
        f"{source}: expected a cohort spec as CohortSpec.to_dict of this version writes it, got something else at "
        f"{where}. If it comes from a manifest, freeze the cohort again."
    )


def _value_sets(document: SpecDocument, source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, values in sorted((document.value_sets or {}).items()):
        listed = values.values if isinstance(values, ValueSource) and values.absent is not None else values
        yield name, _texts(listed, f"value_sets.{name}", source)


def _absent(document: SpecDocument, source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if document.absent is not None:
        yield EVERY_LIST, _texts(document.absent, "absent", source)
    for name, values in sorted((document.value_sets or {}).items()):
        if isinstance(values, ValueSource):
            yield name, _texts(values.absent, f"value_sets.{name}.absent", source)


def _texts(values: object, place: str, source: str) -> tuple[str, ...]:
    """Return values that are written out as texts, as the canonical form has them."""
    if not isinstance(values, list) or len(values) > MAX_VALUES:
        raise _not_canonical(source, place)
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < len(values):
        raise _not_canonical(source, place)
    try:
        return distinct_values(texts)
    except ValueSetError:
        raise _not_canonical(source, place) from None


def _predicate(key: str, text: str, source: str) -> Predicate:
    found = parse_source(Source.of(text), max_length=MAX_LENGTH)
    if isinstance(found, Predicate):
        return found
    raise _faulty(key, [found], source)


def _check(key: str, faults: Iterable[Fault], source: str) -> None:
    if found := list(faults):
        raise _faulty(key, found, source)


def _faulty(key: str, faults: Iterable[Fault], source: str) -> SpecError:
    return combined(faults, f"{source}, {key}")
