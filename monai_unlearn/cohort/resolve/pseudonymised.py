"""Specs of plain identifiers on an index of pseudonyms: recognised and refused, or hashed with the index's key."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.condition import (
    Between,
    Comparison,
    Condition,
    Contains,
    In,
    Like,
    Matches,
    Operator,
)
from monai_unlearn.cohort.language.mapped import mapped
from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.term import Each, Field
from monai_unlearn.cohort.query.value_lists import value_lists
from monai_unlearn.cohort.spec.value_sets import EVERY_LIST
from monai_unlearn.errors import IndexReadError, SpecError
from monai_unlearn.index.patient_key import INSTITUTION, ISSUED_BY, ISSUER
from monai_unlearn.index.pseudonyms import Pseudonyms, domain_of, is_pseudonym
from monai_unlearn.vocabulary.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from monai_unlearn.cohort.language.term import Term
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.cohort.typing.columns import Bound
    from monai_unlearn.index import Index

_ORIGINS = re.compile(r"\s*,\s*")


def patient_columns(index: Index) -> frozenset[str]:
    """Return the columns that name the patients of an index: PatientID, or what the user named, whatever its name.

    Who issued an identifier, and where, are parts of a patient's key, but name nobody.
    """
    return frozenset(_ORIGINS.split(index.patient_from or "")) - {ISSUER, INSTITUTION, ""}


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
    hashed = _Hashing(key, qualified=domains.qualified)

    def change(condition: Condition) -> Condition:
        domain = domains.of(condition.term)
        if domain is None:
            return condition
        if isinstance(condition, Comparison) and isinstance(condition.value, Value):
            return replace(condition, value=hashed.value(condition.value, domain))
        if isinstance(condition, In) and not isinstance(condition.values, Reference):
            return replace(condition, values=tuple(hashed.value(value, domain) for value in condition.values))
        return condition

    absent = {
        name: hashed.for_all(texts, set(of_sets.values()) | domains.used(spec))
        if name == EVERY_LIST
        else hashed.texts(texts, of_sets.get(name))
        for name, texts in spec.absent.items()
    }
    return replace(
        spec,
        forget=mapped(spec.forget, change),
        population=None if spec.population is None else mapped(spec.population, change),
        value_sets={name: hashed.texts(texts, of_sets.get(name)) for name, texts in spec.value_sets.items()},
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

    @property
    def qualified(self) -> bool:
        """Whether the key of a patient may have the issuer or the institution behind the identifier."""
        return not {ISSUER, INSTITUTION}.isdisjoint(_ORIGINS.split(self.index.patient_from or ""))

    def used(self, spec: CohortSpec) -> set[str | None]:
        """Return the domains of all lists of a spec."""
        return {self.of(one.term) for one in value_lists(spec.predicates, spec.value_sets)}

    def _of_column(self, column: str) -> str | None:
        return "patient" if column in patient_columns(self.index) else domain_of(column)


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


@dataclass(frozen=True)
class _Hashing:
    """Replaces identifiers by their pseudonyms, where they are not pseudonyms already.

    Attributes:
        key: The key of the index.
        qualified: Whether an identifier of a patient may be followed by who issued it (`1001^^^HOSP_A`), which is
            not hashed.
    """

    key: Pseudonyms
    qualified: bool

    def value(self, value: Value, domain: str) -> Value:
        return replace(value, text=self._of(value.text, domain))

    def texts(self, texts: tuple[str, ...], domain: str | None) -> tuple[str, ...]:
        return texts if domain is None else tuple(sorted({self._of(text, domain) for text in texts}))

    def for_all(self, texts: tuple[str, ...], domains: set[str | None]) -> tuple[str, ...]:
        """Return values that hold for every list, in the spelling of each."""
        return tuple(sorted({text for domain in domains for text in self.texts(texts, domain)}))

    def _of(self, text: str, domain: str) -> str:
        name, rest = _split(text, qualified=self.qualified)
        return text if is_pseudonym(name) else self.key.of(domain, name) + rest


def _split(text: str, *, qualified: bool) -> tuple[str, str]:
    """Return an identifier, and what stands behind it in the key of a patient."""
    name, mark, issuer = text.partition(ISSUED_BY) if qualified else (text, "", "")
    return name, mark + issuer


def _plain_lists(spec: CohortSpec, domains: _Domains) -> Iterator[str]:
    for one in value_lists(spec.predicates, spec.value_sets):
        names = [_split(listed.text, qualified=domains.qualified)[0] for listed in one.values]
        plain = sum(not is_pseudonym(name) for name in names)
        if domains.of(one.term) is not None and plain:
            of = f"of {counted(len(one.values), 'value')} of {one.label} ({one.term.render(private=True)})"
            yield (
                f"{counted(plain, f'{of} is not a pseudonym', f'{of} are not pseudonyms')}, but the index is "
                f"pseudonymised, so {'it' if plain == 1 else 'they'} would match nothing. Give the key that the index "
                "was built with (--keyfile FILE), or list pseudonyms."
            )


def _meaningless(spec: CohortSpec, domains: _Domains) -> Iterator[str]:
    nodes = (node for predicate in spec.predicates for node in predicate.walk())
    for node in nodes:
        if isinstance(node, Condition) and _needs_plain_text(node) and domains.of(node.term) is not None:
            yield (
                f"'{node.render(private=True)}' asks for a part, an order or other spellings of "
                "identifiers, and the index has pseudonyms in their place, which have none. Compare with ==, != or in."
            )


def _needs_plain_text(node: Condition) -> bool:
    if isinstance(node, Comparison) and (node.operator.orders or node.operator is Operator.SAME):
        return True
    return isinstance(node, Between | Contains | Matches | Like) or not isinstance(node.term, Field | Each)
