"""Which values of a spec's lists occur in an index, and how the others nearly do; reports show counts, never values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.term import Each
from monai_unlearn.cohort.query.connection import open_index
from monai_unlearn.cohort.query.field_sql import Plausibility
from monai_unlearn.cohort.query.near_misses import KINDS, cores, folded
from monai_unlearn.cohort.query.sql import Sql, SqlContext, quoted
from monai_unlearn.cohort.query.statement import SEEN
from monai_unlearn.cohort.query.term_sql import term_sql
from monai_unlearn.cohort.typing.values import TypedValue, coerce
from monai_unlearn.index import usable_sql
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from monai_unlearn.cohort.query.value_lists import ValueList
    from monai_unlearn.cohort.typing.columns import Bound
    from monai_unlearn.cohort.typing.term_type import TermType
    from monai_unlearn.index import Index

*_FOLDS, _AFFIX = KINDS


@dataclass(frozen=True)
class ListMatch:
    """How the values of one list match those of an index.

    Attributes:
        source: The list.
        found: Its values that occur.
        absent: Its values that do not occur, and are known not to.
        wrongly_absent: The values that are said not to occur, and do, in the list or not.
        near: How many values that do not occur nearly do, by kind of near miss.
    """

    source: ValueList
    found: frozenset[str]
    absent: frozenset[str]
    wrongly_absent: frozenset[str]
    near: Mapping[str, int]

    @property
    def missing(self) -> frozenset[str]:
        """The values that do not occur, without being known not to."""
        return frozenset(self.source.texts) - self.found - self.absent

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        return {
            "list": self.source.label,
            "field": self.source.term.render(private=True),
            "values": len(self.source.texts),
            "matched": len(self.found),
            "absent": len(self.absent),
            "near": dict(self.near),
        }


def match_values(
    index: Index,
    lists: Sequence[ValueList],
    bound: Mapping[str, Bound],
    *,
    absent: Mapping[ValueList, Collection[str]] | None = None,
    plausibility: Plausibility | None = None,
) -> tuple[ListMatch, ...]:
    """Compare the values of each list with those of the usable images, by one statement per list.

    Every value of a multi-valued tag counts by itself, as in predicates.

    Args:
        index: The index.
        lists: The lists.
        bound: The columns of the fields in their terms.
        absent: The values that are known not to occur, by list.
        plausibility: Which dates and ages count as true, as in the query.

    Raises:
        IndexReadError: A part of the index cannot be read.
    """
    if not lists:
        return ()
    with open_index(index) as opened:
        context = SqlContext(bound, opened.in_sql, plausibility=plausibility or Plausibility())
        matches = []
        for one in lists:
            known = frozenset((absent or {}).get(one, ()))
            typed = dict(_typed({*one.texts, *known}, context.type_of(one.term)))
            texts = tuple(typed)
            table = opened.fetch(matches_sql(one, tuple(typed.values()), context)) if texts else None
            rows = [] if table is None else table.to_pylist()
            matches.append(_matched(one, known, {texts[int(row["place"])]: row for row in rows}))
        return tuple(matches)


def matches_sql(one: ValueList, values: Sequence[TypedValue], context: SqlContext) -> Sql:
    """Return the statement that says of each value whether it occurs, and of which kind of near miss it is.

    Its result has the columns `place`, of the value in `values`, `found` and `near`.
    """
    present = _present(one, context)
    found = _is_among("LOWER(value)" if one.ignores_case else "value")
    tables = [SEEN, f"present AS ({present.text})", "listed AS (SELECT UNNEST(?) AS value, UNNEST(?) AS place)"]
    tables.append(f"compared AS (SELECT *, {found} AS found FROM listed)")  # noqa: S608 - no text of an author's
    near = "NULL"
    if context.type_of(one.term).kind is Kind.TEXT:
        tables += _near_tables()
        near = _near()
    text = f"WITH {', '.join(tables)} SELECT place, found, {near} AS near FROM compared"  # noqa: S608 - quoted names
    return Sql(text, (*present.parameters, list(values), [float(place) for place in range(len(values))]))


def _present(one: ValueList, context: SqlContext) -> Sql:
    """Return the query of the distinct values that a predicate on the term compares with."""
    usable, parameters = usable_sql()
    expression = term_sql(one.term, context)
    if context.type_of(one.term).many:
        whole = "" if isinstance(one.term, Each) else f" || [{expression}]"
        parts = f"LIST_FILTER(STRING_SPLIT({expression}, '\\'), lambda part: part <> ''){whole}"
        source = f"SELECT UNNEST({parts}) AS value FROM seen WHERE {usable}"  # noqa: S608 - quoted names
    else:
        source = f"SELECT {expression} AS value FROM seen WHERE {usable}"  # noqa: S608 - quoted names
    return Sql(f"SELECT DISTINCT value FROM ({source}) WHERE value IS NOT NULL", parameters)  # noqa: S608 - quoted


def _is_among(folded_value: str) -> str:
    """Return the condition that a listed value occurs, with both sides folded by an expression of `value`."""
    return f"({folded_value} IN (SELECT {folded_value} FROM present))"  # noqa: S608 - no text of an author's


def _near_tables() -> list[str]:
    """Return the tables of values to look for near misses among; empty where every listed value occurs."""
    folds = ", ".join(f"{folded('value', kind)} AS {quoted(kind)}" for kind in _FOLDS)
    return [
        # Folding a million values takes seconds.
        f"others AS (SELECT value, {folds} FROM present WHERE EXISTS (SELECT 1 FROM compared WHERE NOT found))",  # noqa: S608 - no text of an author's
        f"cut_others AS (SELECT UNNEST({cores('value')}) AS core FROM others)",  # noqa: S608 - the same
        f"cut AS (SELECT place, UNNEST({cores('value')}) AS core FROM compared WHERE NOT found)",  # noqa: S608 - the same
    ]


def _near() -> str:
    """Return the expression of a value's kind of near miss; NULL for none."""
    cases = [f"WHEN {folded('value', kind)} IN (SELECT {quoted(kind)} FROM others) THEN '{kind}'" for kind in _FOLDS]  # noqa: S608 - no text of an author's
    loosest = _FOLDS[-1]
    cases.append(
        f"WHEN {folded('value', loosest)} IN (SELECT core FROM cut_others)"  # noqa: S608 - no text of an author's
        f" OR place IN (SELECT place FROM cut WHERE core IN (SELECT {loosest} FROM others)) THEN '{_AFFIX}'"
    )
    return f"CASE WHEN found THEN NULL {' '.join(cases)} END"


def _typed(texts: Collection[str], wanted: TermType) -> Iterator[tuple[str, TypedValue]]:
    """Yield the texts that are values of the field's kind; the others do not occur in it."""
    for text in sorted(texts):
        value = _coerced(text, wanted)
        if value is not None:
            yield text, value


def _coerced(text: str, wanted: TermType) -> TypedValue | None:
    try:
        return coerce(text, wanted)
    except ValueError:
        return None


def _matched(one: ValueList, absent: frozenset[str], rows: Mapping[str, Mapping[str, Any]]) -> ListMatch:
    occurring = frozenset(text for text, row in rows.items() if row["found"])
    own = frozenset(one.texts)
    near = Counter(rows[text]["near"] for text in own - occurring if text in rows)
    return ListMatch(
        source=one,
        found=own & occurring,
        absent=(own & absent) - occurring,
        wrongly_absent=absent & occurring,
        near={kind: near[kind] for kind in KINDS},
    )
