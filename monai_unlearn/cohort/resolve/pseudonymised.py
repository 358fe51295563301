"""Specs of plain identifiers on an index of pseudonyms: recognised and refused, or hashed with the index's key."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.condition import Between, Comparison, Condition, Contains, In, Matches
from monai_unlearn.cohort.language.mapped import mapped
from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.query.value_lists import value_lists
from monai_unlearn.cohort.spec.value_sets import EVERY_LIST
from monai_unlearn.errors import IndexReadError, SpecError
from monai_unlearn.index.pseudonyms import Pseudonyms, domain_of, is_pseudonym

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from monai_unlearn.cohort.language.term import Term
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.cohort.typing.columns import Bound
    from monai_unlearn.index import Index

_ORIGINS = re.compile(r"\s*,\s*")


def read_key(keyfile: Path | str, index: Index) -> Pseudonyms:
    """Read the key of an index's pseudonyms.

    Raises:
        IndexReadError: The index has no pseudonyms, or those of another key, or the file is no key.
    """
    from pathlib import Path

    path = Path(keyfile)
    if index.pseudonyms is None:
        raise IndexReadError(
            f"{path}: the index {index.directory} is not pseudonymised, so there is nothing to hash. Leave out the key."
        )
    key = Pseudonyms.read(path, apart_from=index.directory)
    if key.fingerprint != index.pseudonyms:
        raise IndexReadError(
            f"{path}: expected the key that the index {index.directory} was built with, got another key. Its "
            "pseudonyms would match nobody."
        )
    return key


def hash_identifiers(spec: CohortSpec, index: Index, bound: Mapping[str, Bound], key: Pseudonyms) -> CohortSpec:
    """Return a spec with pseudonyms in place of the identifiers that it compares pseudonymised fields with.

    Values that look like pseudonyms already are kept.

    Args:
        spec: The spec.
        index: The index.
        bound: The columns of the spec's fields.
        key: The key of the index.

    Raises:
        SpecError: One value set is compared with fields that are hashed differently.
    """
    domains = _Domains(index, bound)
    of_sets = _domains_of_sets(spec, domains)

    def change(condition: Condition) -> Condition:
        domain = domains.of(condition.term)
        if domain is None:
            return condition
        if isinstance(condition, Comparison) and isinstance(condition.value, Value):
            return replace(condition, value=_hashed_value(condition.value, domain, key))
        if isinstance(condition, In) and not isinstance(condition.values, Reference):
            return replace(condition, values=tuple(_hashed_value(value, domain, key) for value in condition.values))
        return condition

    absent = {
        name: _hashed_absent(texts, set(of_sets.values()) | domains.used(spec), key)
        if name == EVERY_LIST
        else _hashed(texts, of_sets.get(name), key)
        for name, texts in spec.absent.items()
    }
    return replace(
        spec,
        forget=mapped(spec.forget, change),
        population=None if spec.population is None else mapped(spec.population, change),
        value_sets={name: _hashed(texts, of_sets.get(name), key) for name, texts in spec.value_sets.items()},
        absent=absent,
    )


def refuse_plain(spec: CohortSpec, index: Index, bound: Mapping[str, Bound]) -> None:
    """Refuse a spec that compares a pseudonymised field with what cannot be one of its pseudonyms.

    Raises:
        SpecError: A list has plain values, or a condition asks for a part or an order of a pseudonym.
    """
    if index.pseudonyms is None:
        return
    domains = _Domains(index, bound)
    faults = [*_plain_lists(spec, domains), *_meaningless(spec, domains)]
    if faults:
        raise SpecError("\n".join(f"{spec.source}: {fault}" for fault in faults))


@dataclass(frozen=True)
class _Domains:
    """What the fields of a spec identify in a pseudonymised index.

    Attributes:
        index: The index.
        bound: The columns of each field.
    """

    index: Index
    bound: Mapping[str, Bound]

    def of(self, term: Term) -> str | None:
        """Return `patient`, `study` or `accession` for a term of such a field; None for any other."""
        names = [node.name for node in term.walk() if isinstance(node, Field)]
        columns = [column for name in names for column, _ in self.bound[name].columns]
        return next((domain for column in columns if (domain := self._of_column(column)) is not None), None)

    def used(self, spec: CohortSpec) -> set[str | None]:
        """Return the domains of all lists of a spec."""
        return {self.of(one.term) for one in value_lists(spec.predicates, spec.value_sets)}

    def _of_column(self, column: str) -> str | None:
        # A column that the user named as that of the patients is hashed whatever its name.
        is_patient = column in _ORIGINS.split(self.index.patient_from or "")
        return "patient" if is_patient else domain_of(column)


def _domains_of_sets(spec: CohortSpec, domains: _Domains) -> dict[str, str | None]:
    found: dict[str, set[str | None]] = defaultdict(set)
    for one in value_lists(spec.predicates, spec.value_sets):
        if one.set_name is not None:
            found[one.set_name].add(domains.of(one.term))
    for name, of_set in found.items():
        if len(of_set) > 1:
            raise SpecError(
                f"{spec.source}: @{name} is compared with fields whose pseudonyms differ, and can be hashed for one of "
                "them only. Write a value set for each of them."
            )
    return {name: next(iter(of_set)) for name, of_set in found.items()}


def _hashed_value(value: Value, domain: str, key: Pseudonyms) -> Value:
    return replace(value, text=_hashed((value.text,), domain, key)[0])


def _hashed(texts: tuple[str, ...], domain: str | None, key: Pseudonyms) -> tuple[str, ...]:
    if domain is None:
        return texts
    return tuple(sorted({text if is_pseudonym(text) else key.of(domain, text) for text in texts}))


def _hashed_absent(texts: tuple[str, ...], domains: set[str | None], key: Pseudonyms) -> tuple[str, ...]:
    """Return values that hold for every list, in the spelling of each."""
    return tuple(sorted({text for domain in domains for text in _hashed(texts, domain, key)}))


def _plain_lists(spec: CohortSpec, domains: _Domains) -> Iterator[str]:
    for one in value_lists(spec.predicates, spec.value_sets):
        plain = sum(not is_pseudonym(listed.text) for listed in one.values)
        if domains.of(one.term) is not None and plain:
            yield (
                f"{plain} of {len(one.values)} values of {one.label} ({one.term.render(private=True)}) are not "
                "pseudonyms, but the index is pseudonymised, so they would match nothing. Give the key that the index "
                "was built with (--keyfile FILE), or list pseudonyms."
            )


def _meaningless(spec: CohortSpec, domains: _Domains) -> Iterator[str]:
    nodes = (node for predicate in spec.predicates for node in predicate.walk())
    for node in nodes:
        if isinstance(node, Condition) and _needs_plain_text(node) and domains.of(node.term) is not None:
            yield (
                f"'{node.render(private=True)}' asks for a part or an order of identifiers, and the index has "
                "pseudonyms in their place, which have neither. Compare with ==, != or in."
            )


def _needs_plain_text(node: Condition) -> bool:
    ordered = isinstance(node, Between) or (isinstance(node, Comparison) and node.operator.orders)
    return ordered or isinstance(node, Contains | Matches)
