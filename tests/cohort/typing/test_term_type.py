from __future__ import annotations

import pytest

from monai_unlearn.cohort import parse
from monai_unlearn.cohort.language.term import Field, Number, Term
from monai_unlearn.cohort.typing.columns import Bound
from monai_unlearn.cohort.typing.term_type import TermType, TypeFaultError, common_type, conversion, type_of
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.units import NO_UNIT, YEAR, parse_unit

MM, CM = parse_unit("mm"), parse_unit("cm")
BOUND = {
    "device": Bound((("device", Kind.TEXT),), Kind.TEXT, many=True),
    "age": Bound((("age", Kind.AGE),), Kind.AGE, YEAR),
    "visit": Bound((("visit", Kind.DATE),), Kind.DATE),
    "vpf": Bound((("vpf", Kind.NUMBER),), Kind.NUMBER),
    "mm": Bound((("mm", Kind.NUMBER),), Kind.NUMBER, MM),
    "cm": Bound((("cm", Kind.NUMBER),), Kind.NUMBER, CM),
    "frames": Bound((("frames", Kind.NUMBER),), Kind.NUMBER, MM, many=True),
    "filmed": Bound((("filmed", Kind.DATETIME),), Kind.DATE, many=True),
    "lost": None,
}


def _type(text):
    return type_of(parse(f"{text} == 1").term, BOUND)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("device", TermType(Kind.TEXT, many=True)),
        ("any(device)", TermType(Kind.TEXT, many=True)),
        ("any(frames)", TermType(Kind.NUMBER, MM, many=True)),
        ("frames * 2", TermType(Kind.NUMBER, MM)),
        ("age", TermType(Kind.AGE, YEAR)),
        ("-age", TermType(Kind.NUMBER, YEAR)),
        ("vpf", TermType(Kind.NUMBER, None)),
        ("mm + cm", TermType(Kind.NUMBER, MM)),
        ("2 + cm", TermType(Kind.NUMBER, CM)),
        ("mm * mm", TermType(Kind.NUMBER, parse_unit("mm2"))),
        ("mm / mm", TermType(Kind.NUMBER, NO_UNIT)),
        ("mm * 2", TermType(Kind.NUMBER, MM)),
        ("mm * vpf", TermType(Kind.NUMBER, None)),
        ("mean(cm, mm)", TermType(Kind.NUMBER, CM)),
        ("year(visit)", TermType(Kind.NUMBER, NO_UNIT)),
        ("zscore(mm) by (device)", TermType(Kind.NUMBER, NO_UNIT)),
        ("isolation_forest(mm, age)", TermType(Kind.NUMBER, NO_UNIT)),
        *[(text, None) for text in ("lost", "-lost", "lost + mm", "mm * lost", "zscore(lost)", "all(lost)")],
    ],
)
def test_the_type_of_a_term(text, wanted):
    assert _type(text) == wanted


@pytest.mark.parametrize(
    ("text", "message", "part"),
    [
        ("device * 2", r"'device' holds text, which cannot be used in arithmetic", "device"),
        ("abs(visit)", r"'visit' holds dates, which cannot be used in arithmetic", "visit"),
        ("any(mm)", r"'mm' has one value per image: any\(\) needs text, or a tag of numbers", "mm"),
        ("any(frames) * 2", r"'any\(frames\)' stands for several values, and arithmetic needs one", "frames"),
        ("max(all(frames), 2)", r"'all\(frames\)' stands for several values, and arithmetic needs one", "frames"),
        ("zscore(any(frames))", r"'any\(frames\)' stands for several values, and arithmetic needs one", "frames"),
        ("year(any(filmed))", r"'any\(filmed\)' stands for several values, and year\(\) needs one", "filmed"),
        ("year(mm)", r"year\(\) takes a date, got numbers", "year(mm)"),
        ("mm + age", r"mm cannot be converted to year|year cannot be converted to mm", "age"),
        ("vpf + age", r"in year, but the other has no declared unit\. .*--unit COLUMN=UNIT", "age"),
        ("mm * 2 foo", r"'foo' is not a known unit\. Write a unit such as mm or ml", "2 foo"),
    ],
)
def test_parts_that_do_not_fit_together(text, message, part):
    with pytest.raises(TypeFaultError, match=message) as caught:
        _type(text)
    assert str(caught.value.term) == part


def test_a_bare_number_adopts_the_unit_of_the_other_operand():
    assert conversion(Number("2"), TermType(Kind.NUMBER, MM), BOUND) == 1
    assert conversion(Field("cm"), TermType(Kind.NUMBER, MM), BOUND) == 10
    assert common_type([Number("2"), Number("3")], BOUND) == TermType(Kind.NUMBER, NO_UNIT, bare=True)


def test_a_term_without_a_handler_raises():
    class Strange(Term):
        def render(self, **_):
            return "?"

    with pytest.raises(NotImplementedError, match="Strange"):
        type_of(Strange(), BOUND)
