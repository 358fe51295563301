"""Which values of a spec's lists occur in an index, and how the others nearly do; reports show counts, never values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.language.term import Field
from monai_unlearn.cohort.query.connection import open_index
from monai_unlearn.cohort.query.field_sql import Plausibility
from monai_unlearn.cohort.query.near_misses import ISSUER, KINDS, common_forms, cores
from monai_unlearn.cohort.query.near_misses import folded as folded_sql
from monai_unlearn.cohort.query.several_sql import values_of
from monai_unlearn.cohort.query.sql import Sql, SqlContext, quoted
from monai_unlearn.cohort.query.statement import SEEN
from monai_unlearn.cohort.query.text_sql import TextTerm, comparand, is_whole
from monai_unlearn.cohort.query.value_lists import Listed, Spelling
from monai_unlearn.cohort.typing.columns import SEVERAL
from monai_unlearn.cohort.typing.values import TypedValue, coerce
from monai_unlearn.index import usable_sql
from monai_unlearn.index.patient_key import INSTITUTION, ISSUED_BY
from monai_unlearn.index.patient_key import ISSUER as ISSUED_BY_TAG
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.folding import folded, letters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from monai_unlearn.cohort.query.connection import OpenIndex
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
        near: How many values that do not occur nearly do, by kind of near miss; where issuers tell patients apart,
            also how many are identifiers that several patients have.
    """

    source: ValueList
    found: frozenset[Listed]
    absent: frozenset[Listed]
    wrongly_absent: frozenset[Listed]
    near: Mapping[str, int]

    @property
    def missing(self) -> frozenset[Listed]:
        """The values that do not occur, without being known not to."""
        return frozenset(self.source.values) - self.found - self.absent

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        return {
            "list": self.source.label,
            "field": self.source.term.render(private=True),
            "values": len(self.source.values),
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

    A value occurs where `field == value` holds, or with the operator of its condition: folded unless it was quoted,
    and every value of a multi-valued tag by itself.

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
            known = frozenset(map(Listed, (absent or {}).get(one, ())))
            typed = dict(_typed({*one.values, *known}, context.type_of(one.term)))
            listed = tuple(typed)
            issued = _is_issued(one, index, bound)
            rows = _rows(opened, one, typed, context, issued=issued)
            found = {listed[int(row["place"])]: row for row in rows}
            matches.append(_matched(one, known, found, (*KINDS, *([ISSUER] if issued else []))))
        return tuple(matches)


def _rows(
    opened: OpenIndex, one: ValueList, typed: Mapping[Listed, TypedValue], context: SqlContext, *, issued: bool
) -> list[dict[str, Any]]:
    """Return a row for each value; near misses are looked for only if a value does not occur, as it rarely happens."""
    if not typed:
        return []
    for near in (False, True):
        rows: list[dict[str, Any]] = opened.fetch(
            matches_sql(one, typed, context, issued=issued, near=near)
        ).to_pylist()
        if all(row["found"] for row in rows):
            break
    return rows


def _is_issued(one: ValueList, index: Index, bound: Mapping[str, Bound]) -> bool:
    """Return whether values are identifiers of patients that an issuer or institution tells apart."""
    columns = {column for node in one.term.walk() if isinstance(node, Field) for column, _ in bound[node.name].columns}
    return SEVERAL["patient"] in columns and not {ISSUED_BY_TAG, INSTITUTION}.isdisjoint(
        (index.patient_from or "").split(", ")
    )


def matches_sql(
    one: ValueList, values: Mapping[Listed, TypedValue], context: SqlContext, *, issued: bool = False, near: bool = True
) -> Sql:
    """Return the statement that says of each value whether it occurs, and of which kind of near miss it is.

    Its result has the columns `place`, of the value in `values`, `found` and `near`.

    Args:
        one: The list.
        values: Its values, as they are compared.
        context: What its term is in the query.
        issued: Whether they are identifiers of patients that an issuer tells apart. One that several patients have
            then does not occur: it is not known who is meant, even where one of them has it without an issuer.
        near: Whether to look for near misses; else `near` is null.
    """
    compared = [_compared(one, listed, value, context) for listed, value in values.items()]
    ways = list(dict.fromkeys(way for _, way in compared))
    # A table of values takes a scan of the index: near misses are looked for in `present`, but not every list in both.
    sources = [name for name in _TABLES if (near and name == "present") or any(table == name for table, _ in ways)]
    tables = [
        SEEN,
        *(_present(name, one, context, whole=name == "whole") for name in sources),
        "listed AS (SELECT UNNEST(?) AS value, UNNEST(?) AS key, UNNEST(?) AS way, UNNEST(?) AS place)",
        f"matched AS (SELECT *, CASE way {' '.join(map(_found, range(len(ways)), ways))} END AS occurs FROM listed)",  # noqa: S608 - no text of an author's
        *([_shared(one, context)] if issued else []),
        f"told AS (SELECT *, {_IS_SHARED if issued else 'FALSE'} AS is_shared FROM matched)",  # noqa: S608 - constants
        "compared AS (SELECT *, occurs AND NOT is_shared AS found FROM told)",
    ]
    kind, wanted = "NULL", context.type_of(one.term)
    if near and wanted.kind is Kind.TEXT and wanted.made_by is None:
        tables += _near_tables()
        kind = _near()
    text = f"WITH {', '.join(tables)} SELECT place, found, {kind} AS near FROM compared"  # noqa: S608 - quoted names
    _, own = usable_sql()
    listed: list[list[TypedValue]] = [
        list(values.values()),
        [key for key, _ in compared],
        [float(ways.index(way)) for _, way in compared],
        [float(place) for place in range(len(values))],
    ]
    return Sql(text, (*own * len(sources), *listed, *(own if issued else ())))


# The values to compare with: each of several texts by itself, and all of them as one.
_TABLES = ("present", "whole")
_IS_SHARED = "LOWER(folded(value)) IN (SELECT bare FROM shared)"


def _shared(one: ValueList, context: SqlContext) -> str:
    """Return the table of identifiers that are found with an issuer alone, since several patients have them."""
    ids = _distinct(TextTerm(one.term, context).texts(whole=False), "ids")
    each = f"SELECT ids, SPLIT_PART(UNNEST(ids), '{ISSUED_BY}', 1) AS bare, UNNEST(ids) AS id FROM ({ids})"  # noqa: S608 - quoted names
    return f"shared AS (SELECT DISTINCT LOWER(folded(bare)) AS bare FROM ({each}) WHERE id <> bare AND NOT LIST_CONTAINS(ids, bare))"  # noqa: S608, E501 - quoted names


def _distinct(found: tuple[str, str], name: str) -> str:
    """Return the query of the lists of values that usable images have, each once; see `TextTerm.texts`."""
    (stored, listed), (usable, _) = found, usable_sql()
    return f"SELECT {listed} AS {name} FROM (SELECT DISTINCT {stored} AS stored FROM seen WHERE {usable})"  # noqa: S608 - quoted names


# The table of what a value is compared with, and the form in which both are: SQL with the value as `{}`.
_Way = tuple[str, str]


def _compared(one: ValueList, listed: Listed, value: TypedValue, context: SqlContext) -> tuple[TypedValue, _Way]:
    """Return a value as it is compared, and the way of comparing, as in `to_sql`."""
    wanted = context.type_of(one.term)
    if wanted.kind is not Kind.TEXT or not isinstance(value, str):
        return value, ("present", "{}")
    table = "whole" if is_whole(value, one.term) else "present"
    if one.spelling is Spelling.LETTERS:
        return letters(value), (table, "letters({})")
    text, form = comparand(value, wanted, exact=listed.exact)
    return text, (table, f"LOWER({form('{}')})" if one.spelling is Spelling.ANY_CASE else form("{}"))


def _found(number: int, way: _Way) -> str:
    """Return the case of the values that are compared in one way; their keys have its form already, but for case."""
    table, form = way
    key = "LOWER(key)" if form.startswith("LOWER") else "key"
    return f"WHEN {number} THEN {key} IN (SELECT {form.format('value')} FROM {table})"  # noqa: S608 - no text of an author's


def _present(name: str, one: ValueList, context: SqlContext, *, whole: bool) -> str:
    """Return the table of the distinct values that a predicate on the term compares with."""
    if context.type_of(one.term).kind is Kind.TEXT:
        found = TextTerm(one.term, context).texts(whole=whole)
    else:
        found = values_of(one.term, context), "stored"
    source = f"SELECT UNNEST(listed) AS value FROM ({_distinct(found, 'listed')})"  # noqa: S608 - quoted names
    return f"{name} AS (SELECT DISTINCT value FROM ({source}) WHERE value IS NOT NULL)"  # noqa: S608 - quoted names


def _near_tables() -> list[str]:
    """Return the tables of values to look for near misses among; empty where every listed value occurs."""
    folds = [
        f"{common_forms('value')} AS common",
        *(f"{folded_sql('value', kind)} AS {quoted(kind)}" for kind in _FOLDS),
    ]
    columns = ", ".join(folds)
    return [
        # Folding a million values takes seconds.
        f"others AS (SELECT {columns} FROM present WHERE EXISTS (SELECT 1 FROM compared WHERE NOT found))",  # noqa: S608 - no text of an author's
        f"cut_others AS (SELECT UNNEST({cores('common')}) AS core FROM others)",  # noqa: S608 - the same
        f"missed AS (SELECT place, {common_forms('value')} AS common FROM compared WHERE NOT found)",  # noqa: S608 - the same
        f"cut AS (SELECT place, UNNEST({cores('common')}) AS core FROM missed)",  # noqa: S608 - the same
    ]


def _near() -> str:
    """Return the expression of a value's kind of near miss; NULL for none."""
    kept = "SELECT {} FROM others"
    cases = [f"WHEN {folded_sql('value', kind)} IN ({kept.format(quoted(kind))}) THEN '{kind}'" for kind in _FOLDS]
    loosest = _FOLDS[-1]
    cases.append(
        f"WHEN {folded_sql('value', loosest)} IN (SELECT core FROM cut_others)"  # noqa: S608 - no text of an author's
        f" OR place IN (SELECT place FROM cut WHERE core IN (SELECT {loosest} FROM others)) THEN '{_AFFIX}'"
    )
    return f"CASE WHEN found THEN NULL WHEN is_shared THEN '{ISSUER}' {' '.join(cases)} END"


def _typed(values: Collection[Listed], wanted: TermType) -> Iterator[tuple[Listed, TypedValue]]:
    """Yield the values that are of the field's kind; the others do not occur in it."""
    for listed in sorted(values):
        value = _coerced(listed.text, wanted)
        if value is not None:
            yield listed, value


def _coerced(text: str, wanted: TermType) -> TypedValue | None:
    try:
        return coerce(text, wanted)
    except ValueError:
        return None


def _matched(
    one: ValueList, absent: frozenset[Listed], rows: Mapping[Listed, Mapping[str, Any]], kinds: Sequence[str]
) -> ListMatch:
    occurring = frozenset(listed for listed, row in rows.items() if row["found"])
    own = frozenset(one.values)
    near = Counter(rows[listed]["near"] for listed in own - occurring if listed in rows)
    texts = {listed.text for listed in absent}
    folds = set(map(folded, texts))
    said = {listed for listed in own if listed.text in texts or (not listed.exact and folded(listed.text) in folds)}
    return ListMatch(
        source=one,
        found=own & occurring,
        absent=frozenset(said) - occurring,
        wrongly_absent=absent & occurring,
        near={kind: near[kind] for kind in kinds},
    )
