"""Random predicates on random rows: `resolve` against a plain evaluator that was written for this test alone."""

from __future__ import annotations

import datetime as dt
import math
import re
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from cohort_index import make_index
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from monai_unlearn.cohort import CohortSpec, parse
from monai_unlearn.cohort.language.condition import (
    Between,
    Comparison,
    Contains,
    Direction,
    In,
    Like,
    Matches,
    Operator,
    Within,
)
from monai_unlearn.cohort.language.empty_record import value_of_empty_record
from monai_unlearn.cohort.language.english import sentence
from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.logic import And, Not, Or
from monai_unlearn.cohort.language.node import Node, Reference, Value
from monai_unlearn.cohort.language.predicate import Exists, Missing, Predicate
from monai_unlearn.cohort.language.term import (
    RESERVED,
    Arithmetic,
    Call,
    Each,
    Field,
    Negative,
    Number,
    Quantifier,
    Sign,
    Term,
)
from monai_unlearn.cohort.language.term_english import phrase
from monai_unlearn.cohort.query.term_sql import term_sql
from monai_unlearn.cohort.query.to_sql import to_sql
from monai_unlearn.cohort.spec.document import Reason
from monai_unlearn.cohort.typing.check_types import TypeChecker
from monai_unlearn.cohort.typing.term_type import type_of
from monai_unlearn.vocabulary.fields import Kind

KINDS = {
    "device": Kind.TEXT,
    "ImageType": Kind.TEXT,
    "SoftwareVersions": Kind.TEXT,
    "accession": Kind.TEXT,
    "vpf": Kind.NUMBER,
    "width": Kind.NUMBER,
    "SliceThickness": Kind.NUMBER,
    "PatientAge": Kind.AGE,
    "AcquisitionDate": Kind.DATE,
    "AcquisitionDateTime": Kind.DATETIME,
    "visit": Kind.DATE,
}
TEXTS = ["x", "X", "a b", "a  B", "a\u00a0b", "a-b", "a\u2011b", "AB", "it's", "and", "null", ""]
VERSIONS = ["6.0.4\\BOOT 2", "BOOT 2", "v6.10\\7", "6.1 SP2", "6.1.0", "6.", ""]
ACCESSIONS = ["5", "012", "A-7", "A-0012", "A 7", "A", ""]
MANY = ["A", "a", "B\\A", "A\\\\B", "A\\A", "C\\", "\\"]
NUMBERS = ["0", "1", "-2.5", "1e2"]
DATES = ["2018-01-01", "2018-06-05", "2020-02-29"]
# The fields that a predicate may name, each with the values it is compared with and the columns that it is bound to.
FIELDS = {
    "device": (TEXTS, ["device"]),
    "ImageType": (["A", "B", "a", "B\\A"], ["ImageType"]),
    "software": (["6.1", "V6.10", "7.0", "6.0.4"], ["SoftwareVersions"]),
    "accession": (["5", "A-7", "A-012"], ["accession"]),
    "vpf": (NUMBERS, ["vpf"]),
    "width": ([*NUMBERS, "10 mm", "0.01 m"], ["width"]),
    "SliceThickness": ([*NUMBERS, "1 mm"], ["SliceThickness"]),
    "age": ([*NUMBERS, "12 months"], ["PatientAge"]),
    "acquired": (DATES, ["AcquisitionDate", "AcquisitionDateTime"]),
    "visit": (DATES, ["visit"]),
}
IN_OWN_UNIT = {"1 mm": 1.0, "10 mm": 1.0, "0.01 m": 1.0, "12 months": 1.0}
TEXT_FIELDS = ("device", "ImageType", "accession")
DATE_FIELDS = ("acquired", "visit")
VALUE_SETS = {
    "texts": ("A", "B\\A", "x"),
    "numbers": ("1", "100"),
    "days": ("2018-06-05", "2020-02-29"),
    "one": ("1",),
}


def _values(name):
    return st.builds(Value, st.sampled_from(FIELDS[name][0]), st.booleans())


def _operators(*, text):
    if text:
        return st.sampled_from([Operator.EQUAL, Operator.UNEQUAL, Operator.SAME])
    return st.sampled_from([operator for operator in Operator if operator is not Operator.SAME])


def _lists(name, reference):
    return st.one_of(st.lists(_values(name), min_size=1, max_size=3).map(tuple), st.just(Reference(reference)))


def _texts(name):
    term = st.one_of(st.just(Field(name)), st.builds(Each, st.sampled_from(Quantifier), st.just(Field(name))))
    return st.one_of(
        st.builds(Comparison, term, _operators(text=True), _values(name)),
        st.builds(In, term, _lists(name, "texts")),
        st.builds(
            Contains, term, st.builds(Value, st.sampled_from(["x", "A", "B\\A", "it", "a b", "-b"]), st.booleans())
        ),
        st.builds(Like, term, _values(name).filter(lambda value: any(map(str.isalnum, value.text)))),
        st.builds(Matches, term, st.sampled_from(["^A$", "x|b", "A.*B"]), st.booleans()),
    )


def _ordered(name):
    reference = "days" if name in DATE_FIELDS else "numbers"
    pairs = st.lists(_values(name), min_size=2, max_size=2)
    term = st.just(Field(name))
    if name == "SliceThickness":
        term = st.one_of(term, st.builds(Each, st.sampled_from(Quantifier), st.just(Field(name))))
    ordered = pairs.map(lambda pair: sorted(pair, key=lambda value: _read(name, value.text)))
    return st.one_of(
        st.builds(Comparison, term, _operators(text=False), _values(name)),
        st.builds(In, term, _lists(name, reference)),
        st.builds(lambda term, pair: Between(term, *pair), term, ordered),
    )


_PAIRS = [("5", "012"), ("4", "5"), ("A-7", "A-012"), ("A-1", "A-7")]
NATURAL = st.one_of(
    st.builds(
        Comparison,
        st.just(Field("accession")),
        st.sampled_from([operator for operator in Operator if operator.orders]),
        _values("accession"),
    ),
    st.sampled_from(_PAIRS).map(lambda pair: Between(Field("accession"), *map(Value, pair))),
)
_VERSION = st.just(Call("version", (Field("software"),)))
OF_VERSIONS = st.one_of(
    st.builds(Comparison, _VERSION, _operators(text=False), _values("software")),
    st.builds(In, _VERSION, st.lists(_values("software"), min_size=1, max_size=3).map(tuple)),
    st.builds(Between, _VERSION, st.just(Value("6.0.9")), _values("software").filter(lambda x: x.text != "6.0.4")),
)


def _grow(children):
    several = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Negative, children),
        st.builds(Arithmetic, st.sampled_from(Sign), children, children),
        children.map(lambda term: Call("abs", (term,))),
        st.builds(Call, st.sampled_from(["mean", "min", "max"]), several),
    )


# Numbers without a unit, and lengths in two units: the terms that one sum may hold.
PLAIN = st.one_of(st.just(Field("vpf")), st.sampled_from(["2", "0.5", "0"]).map(Number))
LENGTHS = st.one_of(
    st.sampled_from(["width", "SliceThickness"]).map(Field), st.just(Number("5", "mm")), st.just(Number("2"))
)
TERMS = st.one_of(
    st.recursive(PLAIN, _grow, max_leaves=4),
    st.builds(Call, st.sampled_from(["mean", "min", "max"]), st.tuples(PLAIN, PLAIN)),
    st.recursive(LENGTHS, lambda x: st.builds(Call, st.sampled_from(["mean", "min"]), st.tuples(x, x)), max_leaves=3),
    st.builds(Arithmetic, st.sampled_from([Sign.TIMES, Sign.OVER]), PLAIN, LENGTHS),
    st.builds(Call, st.sampled_from(["year", "month"]), st.sampled_from(DATE_FIELDS).map(lambda name: (Field(name),))),
).filter(lambda term: any(isinstance(node, Field) for node in term.walk()))
GROUPS = st.sampled_from([(), (Field("device"),), (Field("device"), Field("visit"))])
MEASURES = st.sampled_from(
    [Field("vpf"), Field("SliceThickness"), Field("age"), Arithmetic(Sign.TIMES, Field("vpf"), Number("3"))]
)
STATISTICS = st.one_of(
    st.builds(
        lambda name, x, by: Call(name, (x,), by),
        st.sampled_from(["zscore", "mad_z", "iqr_distance", "percentile_rank"]),
        MEASURES,
        GROUPS,
    ),
    GROUPS.map(lambda by: Call("isolation_forest", (Field("vpf"), Field("age")), by)),
)
NUMERIC = st.one_of(
    st.builds(
        Comparison,
        TERMS,
        _operators(text=False),
        st.one_of(st.sampled_from(["0", "0.5", "1", "6", "50", "2018"]).map(Value), st.just(Reference("one"))),
    ),
    # Limits that no statistic of these few values equals: the last bit of a statistic is not specified.
    st.builds(
        Comparison, STATISTICS, _operators(text=False), st.sampled_from(["0.123", "0.513", "1.37", "43.7"]).map(Value)
    ),
)
WINDOWS = st.builds(
    Within,
    st.sampled_from(DATE_FIELDS).map(Field),
    st.sampled_from([0, 30, 155]),
    st.sampled_from(Direction),
    st.one_of(_values("visit"), st.just(Reference("days")), st.sampled_from(DATE_FIELDS).map(Field)),
)
LEAVES = st.one_of(
    st.sampled_from(TEXT_FIELDS).flatmap(_texts),
    st.one_of(NATURAL, OF_VERSIONS).map(lambda node: node),  # as likely as one of the others
    st.sampled_from(sorted(set(FIELDS) - {*TEXT_FIELDS, "software"})).flatmap(_ordered),
    st.sampled_from(sorted(FIELDS)).map(lambda name: Exists(Field(name))),
    st.sampled_from(sorted(FIELDS)).map(lambda name: Missing(Field(name))),
    NUMERIC,
    NUMERIC,
    WINDOWS,
)


def _branches(children):
    several = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, children), st.builds(And, several), st.builds(Or, several))


PREDICATES = st.recursive(LEAVES, _branches, max_leaves=6)
DAYS = st.sampled_from([*map(dt.date.fromisoformat, DATES), None])
INVALID = "***"
# Shortened dates with the first and the last day that each may be.
SHORTENED = {
    "2018-06": (dt.date(2018, 6, 1), dt.date(2018, 6, 30)),
    "2020-02": (dt.date(2020, 2, 1), dt.date(2020, 2, 29)),
    "2018": (dt.date(2018, 1, 1), dt.date(2018, 12, 31)),
    "1900": (dt.date(1900, 1, 1), dt.date(1900, 12, 31)),
}
PLACEHOLDERS = [dt.date(1900, 1, 1), dt.date(95, 7, 24), dt.date(2999, 12, 31)]
# An age that an anonymiser wrote; the index has the number 0 for it.
NO_AGE = "000Y"
IN_DOUBT = [INVALID, *SHORTENED]
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "device": st.sampled_from([*TEXTS, None]),
            "ImageType": st.sampled_from([*MANY, None]),
            "SoftwareVersions": st.sampled_from([*VERSIONS, None]),
            "accession": st.sampled_from([*ACCESSIONS, None]),
            "vpf": st.sampled_from([0.0, 1.0, -2.5, 100.0, 0.25, math.nan, None]),
            "width": st.sampled_from([0.0, 1.0, 100.0, None]),
            "SliceThickness": st.sampled_from([0.0, 1.0, 100.0, (-2.5, 0.0), (1.0, 100.0), (0.5, 2.0), INVALID, None]),
            "PatientAge": st.sampled_from([0.0, 1.0, 100.0, 120.0, 999.0, NO_AGE, INVALID, None]),
            "AcquisitionDate": st.one_of(DAYS, st.none(), st.sampled_from([*IN_DOUBT, *PLACEHOLDERS])),
            "AcquisitionDateTime": st.sampled_from(
                [dt.datetime(2018, 6, 5, 23, 59), dt.datetime(2021, 1, 1), *IN_DOUBT, None]  # noqa: DTZ001 - DICOM times name no zone
            ),
            "visit": DAYS,
        }
    ),
    min_size=1,
    max_size=6,
)


def evaluate(node, row, rows):
    """Return true, false or None for unknown, from the specification and not from the code under test."""
    if isinstance(node, And | Or):
        values = [evaluate(operand, row, rows) for operand in node.operands]
        decisive = isinstance(node, Or)
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    if isinstance(node, Not):
        value = evaluate(node.operand, row, rows)
        return None if value is None else not value
    if isinstance(node, Exists | Missing):
        return (_present(node.field, row) is not None) == isinstance(node, Exists)
    if isinstance(node, Within):
        return _within(node, row)
    return _condition(node, row, rows)


def _condition(node, row, rows):
    if isinstance(node.term, Call) and node.term.function == "version":
        return _version(node, row)
    field = node.term.field if isinstance(node.term, Each) else node.term
    if isinstance(field, Field) and field.name in TEXT_FIELDS:
        is_ordered = isinstance(node, Between) or (isinstance(node, Comparison) and node.operator.orders)
        return _natural(node, field, row) if is_ordered else _text(node, field, row)
    if isinstance(field, Field) and field.name in DATE_FIELDS:
        return _agreed(_compare(day, node) for day in _days(field, row))
    if isinstance(field, Field) and isinstance(several := _present(field, row), tuple):
        is_negated = isinstance(node, Comparison) and node.operator is Operator.UNEQUAL and field is node.term
        if is_negated:
            return not any(_compare(one, Comparison(field, Operator.EQUAL, node.value)) for one in several)
        is_all = isinstance(node.term, Each) and node.term.quantifier is Quantifier.ALL
        return (all if is_all else any)(_compare(one, node) for one in several)
    found = _number(field, row, rows)[0]
    return None if found is None else _compare(found, node)


def _agreed(answers):
    """Return the answer that all days give; None where they differ, or where there is no day."""
    different = set(answers)
    return different.pop() if len(different) == 1 else None


def _present(field, row):
    """Return what the first tag that is present says, valid or not."""
    present = [value for column in FIELDS[field.name][1] if not _is_missing(value := row[column])]
    return present[0] if present else None


def _field(field, row):
    found = _present(field, row)
    if isinstance(found, tuple):
        return None
    is_dicom = field.name in {"age", "acquired"}
    if found in {INVALID, NO_AGE} or (is_dicom and found in {*PLACEHOLDERS, 120.0, 999.0}):
        return None
    if field.name in DATE_FIELDS:
        days = _days(field, row)
        return days[0] if len(days) == 1 else None
    return found


def _days(field, row):
    """Return every day that a date may be."""
    found = _present(field, row)
    if found is None or found == INVALID or (field.name == "acquired" and found in [*PLACEHOLDERS, "1900"]):
        return []
    if isinstance(found, dt.datetime):
        return [found.date()]
    first, last = SHORTENED.get(found, (found, found))
    return [first + dt.timedelta(days=days) for days in range((last - first).days + 1)]


def _within(node, row):
    first = 0 if node.direction is Direction.AFTER else -node.days
    last = 0 if node.direction is Direction.BEFORE else node.days
    days = _days(node.term, row)
    if isinstance(node.anchor, Field):
        others = _days(node.anchor, row)
        return _agreed(first <= (day - other).days <= last for day in days for other in others)
    texts = VALUE_SETS[node.anchor.name] if isinstance(node.anchor, Reference) else [node.anchor.text]
    anchors = [dt.date.fromisoformat(text) for text in texts]
    return _agreed(any(first <= (day - anchor).days <= last for anchor in anchors) for day in days)


def _text(node, field, row):
    whole = _field(field, row)
    if whole is None:
        return None
    is_each = isinstance(node.term, Each)
    if isinstance(node, Comparison) and node.operator is Operator.UNEQUAL and not is_each:
        same = _text(Comparison(node.term, Operator.EQUAL, node.value), field, row)
        return None if same is None else not same
    parts = [part for part in whole.split("\\") if part] if field.name == "ImageType" and "\\" in whole else [whole]
    fold = all if is_each and node.term.quantifier is Quantifier.ALL else any
    if isinstance(node, Matches):
        found = [re.search(node.pattern, part, re.IGNORECASE if node.ignore_case else 0) is not None for part in parts]
        return fold(found) if parts else None
    texts = _wanted(node)
    joined = [pair for pair in texts if "\\" in pair[0] and not is_each]
    single = [pair for pair in texts if pair not in joined]
    results = [_is_like(node, whole, text) for text in joined]
    if single:
        results.append(fold(any(_is_like(node, part, text) for text in single) for part in parts) if parts else None)
    return True if True in results else None if None in results else False


def _wanted(node):
    """Return the values that a node compares with, each with whether it was quoted."""
    given = node.values if isinstance(node, In) else node.value
    if isinstance(given, Reference):
        return [(text, False) for text in VALUE_SETS[given.name]]
    return [(value.text, value.exact) for value in (given if isinstance(given, tuple) else [given])]


def _plain(text):
    """Return a text with plain dashes and single spaces."""
    dashes = "".join("-" if unicodedata.category(character) == "Pd" else character for character in text)
    return " ".join(dashes.split())


def _natural(node, field, row):
    """Compare texts as lists of words and numbers; unknown where the words differ."""
    found = _field(field, row)
    texts = [node.low.text, node.high.text] if isinstance(node, Between) else [node.value.text]
    if found is None:
        return None
    own, *limits = [[int(x) if x.isdigit() else x for x in re.findall(r"\d+|\D+", _plain(x))] for x in [found, *texts]]
    if any(
        [x if isinstance(x, str) else 0 for x in limit] != [x if isinstance(x, str) else 0 for x in own]
        for limit in limits
    ):
        return None
    return limits[0] <= own <= limits[1] if isinstance(node, Between) else _holds(node.operator.value, own, limits[0])


def _version(node, row):
    whole = _field(node.term.arguments[0], row)
    known = [version for part in (whole or "").split("\\") if (version := _numbers_of_version(part))]
    if not known:
        return None
    if isinstance(node, Between):
        low, high = (_numbers_of_version(value.text) for value in (node.low, node.high))
        return any(low <= version <= high for version in known)
    wanted = [_numbers_of_version(text) for text, _ in _wanted(node)]
    if isinstance(node, In):
        return any(version in wanted for version in known)
    if node.operator is Operator.UNEQUAL:
        return wanted[0] not in known
    return any(_holds(node.operator.value, version, wanted[0]) for version in known)


def _numbers_of_version(text):
    """Return the numbers of a version without zeros at the end; None for another text."""
    first = (text.split() or [""])[0].lower().removeprefix("v").split(".")
    if not all(map(str.isdigit, first)):
        return None
    numbers = list(map(int, first))
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return numbers


def _is_like(node, found, pair):
    text, exact = pair
    if isinstance(node, Like):
        found, text = ("".join(filter(str.isalnum, x.lower())) for x in (found, text))
    elif not exact:
        found, text = _plain(found), _plain(text)
    if isinstance(node, Contains):
        return text in found
    if isinstance(node, Comparison) and node.operator is Operator.SAME:
        return found.lower() == text.lower()
    return found != text if isinstance(node, Comparison) and node.operator is Operator.UNEQUAL else found == text


def _compare(found, node):
    texts = [node.low.text, node.high.text] if isinstance(node, Between) else [text for text, _ in _wanted(node)]
    values = [_literal(found, text) for text in texts]
    if isinstance(node, In):
        return found in values
    if isinstance(node, Between):
        return values[0] <= found <= values[1]
    return _holds(node.operator.value, found, values[0])


def _holds(operator, found, right):
    return {
        "==": lambda: found == right,
        "!=": lambda: found != right,
        "<": lambda: found < right,
        "<=": lambda: found <= right,
        ">": lambda: found > right,
        ">=": lambda: found >= right,
    }[operator]()


def _literal(found, text):
    if isinstance(found, dt.date):
        return dt.date.fromisoformat(text)
    return IN_OWN_UNIT[text] if text in IN_OWN_UNIT else float(text)


MILLIMETRES = {"mm": 1.0, "cm": 10.0}


def _number(term, row, rows):  # noqa: PLR0911 - one for each type of term
    """Return the value of a term, None where it is missing, and its unit of length: mm, cm or None."""
    if isinstance(term, Field):
        return _field(term, row), {"width": "cm", "SliceThickness": "mm"}.get(term.name)
    if isinstance(term, Number):
        return float(term.text), term.unit
    if isinstance(term, Negative):
        value, unit = _number(term.operand, row, rows)
        return None if value is None else -value, unit
    if isinstance(term, Call) and term.is_statistic:
        return _statistic(term, row, rows), None
    if isinstance(term, Call) and term.function in {"year", "month"}:
        return _agreed(float(getattr(day, term.function)) for day in _days(term.arguments[0], row)), None
    parts = term.arguments if isinstance(term, Call) else (term.left, term.right)
    pairs = [_number(part, row, rows) for part in parts]
    factors = isinstance(term, Arithmetic) and not term.sign.adds
    unit = None if factors else next((unit for _, unit in pairs if unit), None)
    if any(value is None for value, _ in pairs):
        return None, unit
    numbers = [
        value if factors or own in {None, unit} else value * (MILLIMETRES[own] / MILLIMETRES[unit])
        for value, own in pairs
    ]
    return _computed(term, numbers), unit


def _computed(term, numbers):
    if isinstance(term, Call):
        return {"mean": lambda x: sum(x) / len(x), "min": min, "max": max, "abs": lambda x: abs(x[0])}[term.function](
            numbers
        )
    left, right = numbers
    if term.sign is Sign.OVER:
        return None if right == 0 else left / right
    return {"+": left + right, "-": left - right, "*": left * right}[term.sign.value]


def _statistic(call, row, rows):
    own = _features(call, row)
    if own is None:
        return None
    groups = [features for other in rows if (features := _features(call, other)) is not None]
    cohort = np.array([numbers for key, numbers in groups if key == own[0]])
    if call.function == "isolation_forest":
        return _forest(cohort, own[1])
    x, column = own[1][0], cohort[:, 0]
    if call.function == "percentile_rank":
        return stats.percentileofscore(column, x, kind="weak")
    if call.function == "zscore":
        spread = np.std(column)
        return None if spread == 0 else (x - np.mean(column)) / spread
    if call.function == "mad_z":
        spread = stats.median_abs_deviation(column)
        return None if spread == 0 else 0.6745 * (x - np.median(column)) / spread
    low, high = np.percentile(column, [25, 75])
    return None if low == high else max(low - x, x - high, 0) / (high - low)


def _features(call, row):
    key = tuple(_field(field, row) for field in call.by)
    numbers = [_number(argument, row, [])[0] for argument in call.arguments]
    return None if None in key or None in numbers else (key, numbers)


def _forest(cohort, own):
    from sklearn.ensemble import IsolationForest

    if len(cohort) < 2:
        return None
    ordered = np.array(sorted(cohort.tolist()))
    return -IsolationForest(random_state=0).fit(ordered).score_samples(np.array([own]))[0]


def _is_missing(value):
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _read(name, text):
    return dt.date.fromisoformat(text) if name in DATE_FIELDS else IN_OWN_UNIT.get(text) or float(text)


def _resolve(predicate, rows):
    """Resolve with one more row that is always forgotten and one that always remains: a cohort needs both."""
    blank = dict.fromkeys(KINDS)
    columns = {name: [_stored(row[name]) for row in [*rows, blank, blank]] for name in KINDS}
    for doubt, entry in DOUBTS.items():
        listed = (filter(None, (entry(name, row[name]) for name in KINDS)) for row in [*rows, blank, blank])
        columns[doubt] = ["\\".join(entries) or None for entries in listed]
    columns["anchor"] = [*["no"] * len(rows), "forget", "remain"]
    anchored = And((Or((predicate, parse("anchor == forget"))), parse("anchor != remain")))
    spec = CohortSpec(name="test", reason=Reason.OTHER, forget=anchored, value_sets=VALUE_SETS)
    with tempfile.TemporaryDirectory() as folder:
        kinds = {**KINDS, "anchor": Kind.TEXT}
        cohort = spec.resolve(
            make_index(Path(folder) / "index", columns, kinds, units={"width": "cm", "SliceThickness": "mm"})
        )
        return {name: part for part, ids in cohort.image_ids.items() for name in ids}


def _stored(value):
    return 0.0 if value == NO_AGE else None if isinstance(value, tuple) or value in IN_DOUBT else value


DOUBTS = {
    "invalid": lambda name, value: name if value == INVALID else None,
    "partial": lambda name, value: "{}={}/{}".format(name, *SHORTENED[value]) if value in SHORTENED else None,
    "implausible": lambda name, value: name if value == NO_AGE else None,
    "several_values": lambda name, value: f"{name}={'/'.join(map(str, value))}" if isinstance(value, tuple) else None,
}


def _concrete(kind):
    children = kind.__subclasses__()
    for child in children:
        yield from _concrete(child)
    if not kind.__abstractmethods__:
        yield kind


# Of the language alone: other rooms have private nodes, which are rendered and never resolved.
NODES = sorted(
    {kind for kind in _concrete(Node) if kind.__module__.startswith("monai_unlearn.cohort.language")},
    key=lambda kind: kind.__name__,
)
# What must be defined for every type of node: an operation, and the nodes that it takes.
OPERATIONS = [
    (sentence, Predicate),
    (value_of_empty_record, Predicate),
    (to_sql, Predicate),
    (vars(TypeChecker)["_check"].dispatcher, Predicate),
    (phrase, Term),
    (type_of, Term),
    (term_sql, Term),
]


# Together they have every node and every function: what 200 random predicates draw differs from day to day.
ONE_OF_EACH = (
    *(f"{name}(vpf) > 0.123" for name in ("zscore", "mad_z", "iqr_distance", "percentile_rank")),
    "isolation_forest(vpf, age) > 0.513",
    "mean(vpf, 2) > 1 or min(vpf, 0.5) < 0 or max(-vpf, abs(vpf)) * 2 >= 6",
    "year(acquired) == 2018 and not width in [1, '10 mm']",
    "any(ImageType) == A or device contains x or device matches /^A$/",
    "accession like 'A-7' and version(software) between 6.0.9 and 7.0",
    "vpf between 0 and 1 or acquired within 30 days of visit",
    "missing(vpf) or exists(width) or month(visit) == @one",
)


def test_resolve_agrees_with_a_plain_evaluator():
    seen = set()

    @given(PREDICATES, ROWS)
    def compare(predicate, rows):
        seen.update(type(node) for node in predicate.walk())
        seen.update(node.function for node in predicate.walk() if isinstance(node, Call))
        found = _resolve(predicate, rows)
        names = {True: "forget", False: "remain", None: "undetermined"}
        assert [found[f"i{number:02d}"] for number in range(len(rows))] == [
            names[evaluate(predicate, row, rows)] for row in rows
        ]

    # One example of each function at least, whatever the random predicates are.
    rows = [{**dict.fromkeys(KINDS), "vpf": number} for number in (0.0, 1.0, -2.5, 100.0, None)]
    examples = [parse(text) for text in ONE_OF_EACH]
    nodes = [node for predicate in examples for node in predicate.walk()]
    named = {*map(type, nodes), *(node.function for node in nodes if isinstance(node, Call))}
    assert named >= {*NODES, *FUNCTIONS}
    for predicate in examples:
        compare = example(predicate, rows)(compare)
    compare()
    assert seen == {*NODES, *FUNCTIONS}


_NAMES = st.one_of(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True),
    st.sampled_from(
        [*RESERVED, "between", "contains", "matches", "within", "by", "of", "mean", "any", "exists", "days"]
    ),
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="`"), min_size=1, max_size=8),
).map(Field)
_ANY_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12),
    st.lists(st.sampled_from(["and", "OR", "in", "null", "800", "'", '"', "a", "[", "==", "$x"]), max_size=4).map(
        " ".join
    ),
    st.sampled_from(["a b", "a  b", "a\u00a0b", "a\u2011b", "a-b", "2019-01-31", "-3"]),
)
_TEXTS = st.builds(Value, _ANY_TEXT, st.booleans())
_REFERENCES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).map(Reference)
_ANY_NUMBER = st.builds(
    Number, st.sampled_from(["3", "0.5", ".5", "1e-3", "7."]), st.sampled_from([None, "mm", "and_"])
)


def _any_call(children):
    by = st.one_of(st.just(()), st.lists(_NAMES, min_size=1, max_size=2).map(tuple))
    several = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        _grow(children),
        st.builds(lambda x: Call("isolation_forest", x), st.lists(_NAMES, min_size=1, max_size=3).map(tuple)),
        st.builds(lambda name, x, by: Call(name, (x,), by), st.sampled_from(["zscore", "mad_z"]), _NAMES, by),
        several.map(lambda terms: Call("max", terms)),
    )


_ANY_TERM = st.one_of(
    st.builds(Each, st.sampled_from(Quantifier), _NAMES),
    st.recursive(st.one_of(_NAMES, _ANY_NUMBER), _any_call, max_leaves=5),
).filter(lambda term: any(isinstance(node, Field) for node in term.walk()))
_PATTERNS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8).filter(
    lambda text: not re.search(r"(?<!\\)(?:\\\\)*\\$", text)
)
_ANY_LEAF = st.one_of(
    st.builds(Comparison, _ANY_TERM, st.sampled_from(Operator), st.one_of(_TEXTS, _REFERENCES)),
    st.builds(In, _ANY_TERM, st.one_of(st.lists(_TEXTS, min_size=1, max_size=3).map(tuple), _REFERENCES)),
    st.builds(Between, _ANY_TERM, _TEXTS, _TEXTS),
    st.builds(Contains, _ANY_TERM, _TEXTS.filter(lambda value: value.text)),
    st.builds(Like, _ANY_TERM, st.sampled_from(["a b", "and", "a-b"]).map(Value)),
    st.builds(Matches, _ANY_TERM, _PATTERNS, st.booleans()),
    st.builds(
        Within,
        _ANY_TERM,
        st.integers(0, 36_525),
        st.sampled_from(Direction),
        st.one_of(st.just(Value("2018-01-31")), _REFERENCES, _NAMES),
    ),
    st.builds(Exists, _NAMES),
    st.builds(Missing, _NAMES),
)


@given(st.recursive(_ANY_LEAF, _branches, max_leaves=8))
def test_the_canonical_text_parses_as_the_same_predicate(predicate):
    again = parse(str(predicate))
    assert again == predicate
    assert str(again) == str(predicate)


@pytest.mark.parametrize("node", NODES)
def test_every_node_is_frozen(node):
    assert node.__dataclass_params__.frozen


@pytest.mark.parametrize("node", NODES)
def test_every_node_has_a_handler_for_every_operation(node):
    missing = [
        operation
        for operation, base in OPERATIONS
        if issubclass(node, base) and operation.dispatch(node) is operation.dispatch(object)
    ]
    assert missing == []
    assert issubclass(node, Predicate | Term)


@pytest.mark.parametrize(("operation", "base"), OPERATIONS)
def test_a_handler_is_named_after_its_node(operation, base):
    shared = {"_nothing_to_check", "_field_or_number"}
    for node, handler in operation.registry.items():
        own = "_" + node.__name__.lstrip("_").lower()
        assert node is object or handler.__name__ in {own, *shared}
