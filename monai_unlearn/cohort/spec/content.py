"""What a spec says once its predicates are parsed, and what must hold of it before any index is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.empty_record import value_of_empty_record
from monai_unlearn.cohort.language.term import statistics_of
from monai_unlearn.cohort.typing.bind import examine
from monai_unlearn.cohort.typing.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monai_unlearn.cohort.language.predicate import Predicate
    from monai_unlearn.cohort.language.source import Fault
    from monai_unlearn.cohort.language.term import Field
    from monai_unlearn.cohort.spec.document import SpecDocument


@dataclass(frozen=True, kw_only=True)
class SpecContent:
    """A spec's document, with its predicates, value sets and fields read.

    Attributes:
        document: Every key that needs no parsing.
        forget: The parsed condition `forget`.
        population: The parsed condition `population`, if the spec has one.
        value_sets: The values behind each `@name`, sorted.
        absent: The values that are known not to occur in the index, by value set; see `value_sets.EVERY_LIST`.
        stratify: The fields that the sample is stratified by, each with its place where the spec is a file.
    """

    document: SpecDocument
    forget: Predicate
    population: Predicate | None = None
    value_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stratify: tuple[Field, ...] = ()

    @property
    def holds_for_empty_record(self) -> bool:
        """Whether an image whose every field is missing would be forgotten, although the spec does not allow it."""
        if self.document.allow_empty_record:
            return False
        conditions = [self.forget] if self.population is None else [self.forget, self.population]
        return all(value_of_empty_record(condition) is True for condition in conditions)


EMPTY_RECORD = (
    "'forget' holds for an image whose every tag is missing, so that every image that could not be read would be "
    "forgotten. Add a comparison that must hold too, or write allow_empty_record: true if that is what you mean."
)


def unknown_sets(document: SpecDocument) -> list[str]:
    """Return the names in `expect: {matched: …}` that are not in `value_sets`."""
    matched = None if document.expect is None else document.expect.matched
    return [name for name in matched if name not in (document.value_sets or {})] if isinstance(matched, dict) else []


def type_faults(predicates: Sequence[Predicate], value_sets: Mapping[str, Sequence[str]] | None) -> list[Fault]:
    """Return what is wrong whatever the index: types of DICOM keywords, names of value sets.

    Args:
        predicates: The predicates of one spec.
        value_sets: The values behind each `@name`; with None, references to value sets are not checked.
    """
    return examine(predicates, Columns.of_any_index(), value_sets=value_sets)[1]


def population_faults(population: Predicate | None) -> Iterator[Fault]:
    """Yield each cohort statistic in `population`: statistics are computed over the population itself."""
    for call in statistics_of([population] if population else []):
        message = f"{call.function} is computed over the population, so it cannot be used to choose the population."
        if call.at is not None:
            yield call.at.fault(message, names_field=True)
