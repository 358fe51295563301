"""The lists of a spec on an index: which of their values occur, and whether those are as many as the spec expects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.query.value_lists import Listed, value_lists
from monai_unlearn.cohort.query.value_matches import match_values
from monai_unlearn.cohort.resolve.pseudonymised import patient_columns
from monai_unlearn.cohort.resolve.value_list_words import near_words
from monai_unlearn.cohort.spec.document import Reason
from monai_unlearn.cohort.spec.value_sets import EVERY_LIST
from monai_unlearn.vocabulary.counted import counted
from monai_unlearn.vocabulary.privacy import may_show_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monai_unlearn.cohort.language.term import Term
    from monai_unlearn.cohort.query.statement import Question
    from monai_unlearn.cohort.query.value_lists import ValueList
    from monai_unlearn.cohort.query.value_matches import ListMatch
    from monai_unlearn.cohort.spec.spec import CohortSpec
    from monai_unlearn.cohort.typing.columns import Bound
    from monai_unlearn.index import Index

EXPECTS_ALL = "all"
_REMEDY = (
    "Fix the spelling in the list. Values that are known to have no images here go into a file named by absent:; "
    "where fewer values than all are enough, write expect: {matched: {NAME: {min: N}}}."
)


def matches_of(spec: CohortSpec, index: Index, question: Question) -> tuple[ListMatch, ...]:
    """Compare the values of every list of a spec with those in an index.

    Args:
        spec: The spec.
        index: The index.
        question: What the spec asks of the index.

    Raises:
        IndexReadError: The index cannot be read.
    """
    lists = value_lists(spec.predicates, spec.value_sets)
    absent = {one: _absent(spec, one) for one in lists}
    return match_values(index, lists, question.bound, absent=absent, plausibility=question.plausibility)


def needs_matches(spec: CohortSpec) -> bool:
    """Return whether the guards need to know which values of the lists occur."""
    expected = spec.expect is not None and spec.expect.matched is not None
    return expected or spec.reason is Reason.CONSENT_WITHDRAWAL or any(spec.absent.values())


def names_somebody(term: Term, index: Index, bound: Mapping[str, Bound]) -> bool:
    """Return whether the values of a list may identify people: by `reason: consent_withdrawal`, all must then occur.

    Args:
        term: What they are compared with.
        index: The index.
        bound: The columns of the spec's fields.
    """
    fields = {node.name for node in term.walk() if isinstance(node, Field)}
    columns = {column for name in fields for column, _ in bound[name].columns}
    return not (fields | columns).isdisjoint(patient_columns(index)) or not all(map(may_show_values, fields | columns))


def unmatched(
    spec: CohortSpec, matches: Sequence[ListMatch], index: Index, bound: Mapping[str, Bound]
) -> Iterator[str]:
    """Yield why the values that occur are not those that a spec expects, a sentence per list, without any value.

    A value set that is compared with several fields must be found in one of them.
    """
    by_name: dict[str, list[ListMatch]] = {}
    for number, match in enumerate(matches):
        by_name.setdefault(match.source.set_name or f" {number}", []).append(match)
    for of_list in by_name.values():
        yield from _wrongly_absent(of_list)
        names = any(names_somebody(match.source.term, index, bound) for match in of_list)
        yield from _too_few(spec, of_list, names_somebody=names)
    for name in sorted(spec.value_sets.keys() - by_name.keys()):
        if _least(spec, name, names_somebody=True) is not None:
            yield f"expected the values of @{name} to occur in the index (expect: matched), but no condition uses it."


def _absent(spec: CohortSpec, one: ValueList) -> set[str]:
    return {*spec.absent.get(EVERY_LIST, ()), *spec.absent.get(one.set_name or "", ())}


def _wrongly_absent(of_list: Sequence[ListMatch]) -> Iterator[str]:
    wrong = frozenset[Listed]().union(*(match.wrongly_absent for match in of_list))
    if wrong:
        yield (
            f"expected no value under absent: to occur in the index ({_named(of_list)}), found {len(wrong):,} that do. "
            "Take out of that list what has images here."
        )


def _too_few(spec: CohortSpec, of_list: Sequence[ListMatch], *, names_somebody: bool) -> Iterator[str]:
    source = of_list[0].source
    least = _least(spec, source.set_name, names_somebody=names_somebody)
    if least is None:
        return
    missing = frozenset.intersection(*(match.missing for match in of_list))
    found = frozenset[Listed]().union(*(match.found for match in of_list))
    got = f"found {len(found)} of {len(source.values)}"
    near = near_words(of_list[0].near) if len(of_list) == 1 else ""
    if least == EXPECTS_ALL and missing:
        why = "expect: matched: all" if _asks_for_all(spec) else "the default for reason: consent_withdrawal"
        known = f" and {len(of_list[0].absent)} known to be absent" if of_list[0].absent else ""
        yield (
            f"expected every value of {_named(of_list)} to occur in the index ({why}), {got}{known}. {near}{_REMEDY}"
        )
    elif isinstance(least, int) and len(found) < least:
        yield (
            f"expected at least {counted(least, 'value')} of {_named(of_list)} to occur in the index (expect: "
            f"matched), {got}. {near}{_REMEDY}"
        )


def _least(spec: CohortSpec, set_name: str | None, *, names_somebody: bool) -> str | int | None:
    """Return how many values of a list must occur: `all`, a number, or None where nothing is expected.

    A set that no condition uses may name somebody.
    """
    matched = None if spec.expect is None else spec.expect.matched
    if isinstance(matched, dict) and set_name in matched:
        return matched[set_name].min
    if matched == EXPECTS_ALL or (spec.reason is Reason.CONSENT_WITHDRAWAL and names_somebody):
        return EXPECTS_ALL
    return None


def _asks_for_all(spec: CohortSpec) -> bool:
    return spec.expect is not None and spec.expect.matched == EXPECTS_ALL


def _named(of_list: Sequence[ListMatch]) -> str:
    fields = " and ".join(match.source.term.render(private=True) for match in of_list)
    return f"{of_list[0].source.label} ({fields})"
