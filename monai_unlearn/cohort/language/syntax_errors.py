"""Messages for syntax errors of predicates, in the words of spec authors rather than of the grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.date_hint import date_hint, one_date
from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.source import Fault, Span, shown
from monai_unlearn.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

ODD_NAME = "Write backquotes around a field name that contains other characters than letters, digits and _"
_CALLED = re.compile(r"(?<![\w`])(?!(?:and|or|not|in|by)\s*\()([A-Za-z_]\w*)\s*\(", re.IGNORECASE)

# What messages call the grammar's terminals, in the order in which a message lists them.
_NAMES = {
    "NAME": "a field",
    "_NOT": "'not'",
    "LPAR": "'('",
    "QUOTED": "a value",
    "COMPARE": "one of == != ~= < <= > >=",
    "_IN": "'in'",
    "_BETWEEN": "'between'",
    "_CONTAINS": "'contains'",
    "_LIKE": "'like'",
    "_MATCHES": "'matches'",
    "_WITHIN": "'within'",
    "PATTERN": "a regular expression such as /^OCT/",
    "SPAN": "a window such as 30 days",
    "DIRECTION": "'of', 'before' or 'after'",
    "DATE": "a date, a field or @name",
    "LSQB": "a list such as [a, b]",
    "_AND": "'and'",
    "_OR": "'or'",
    "COMMA": "','",
    "RSQB": "']'",
    "RPAR": "')'",
    "$END": "the end",
}
# Terminals that a message leaves out where it lists the key.
_ARITHMETIC = {"PLUS", "MINUS", "TIMES", "OVER"}
_TERM = {"BACKQUOTED", "_EXISTS", "_MISSING", "_NOT", "LPAR", "FUNCTION", "QUANTIFIER", "NUMBER", "MINUS"}
_IMPLIED = {
    "QUOTED": {"WORD", "REFERENCE"},
    "LSQB": {"REFERENCE"},
    "NAME": _TERM,
    "COMPARE": {*_ARITHMETIC, "_NOT", "_BY", "UNIT", "_AND", "_OR"},
    "DATE": {"NAME", "BACKQUOTED", "REFERENCE"},
}


@dataclass(frozen=True)
class _Place:
    """The offending text, the text before and after it, and the terminals that are valid there."""

    got: str
    before: str
    after: str
    expected: frozenset[str]


def explain(span: Span, expected: frozenset[str]) -> Fault:
    """Return a fault that says what was expected in place of the span's text, and what to write."""
    place = _Place(span.text, span.source.text[: span.start], span.source.text[span.end :], expected)
    got = "the end of the predicate" if span.start >= len(span.source.text) else span.quoted()
    hint = next((hint for fits, hint in _HINTS if fits(place)), None)
    text = hint(place) if hint else ""
    return span.fault(f"expected {_listed(expected - _impossible(place))}, got {got}.{text}")


def _impossible(place: _Place) -> set[str]:
    """Return terminals that the lexer reports as valid, but that are not: it does not count brackets."""
    names = set() if place.before.count("(") > place.before.count(")") else {"RPAR"}
    in_list = place.before.count("[") > place.before.count("]")
    return names | ({"_AND", "_OR", "RPAR", "$END"} if in_list else {"COMMA", "RSQB"})


def _listed(expected: frozenset[str]) -> str:
    implied = {name for key in expected & _IMPLIED.keys() for name in _IMPLIED[key]}
    names = [text for key, text in _NAMES.items() if key in expected - implied]
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "something else"


def unknown_function(name: str) -> str:
    """Return the message for a function that does not exist, without a full stop."""
    names = _function_names()
    return (
        f"There is no function '{shown(name)}'.{did_you_mean(name.lower(), names)} The functions are {', '.join(names)}"
    )


def _function_names() -> tuple[str, ...]:
    return ("exists", "missing", "any", "all", *FUNCTIONS)


def _name_of_unknown_function(place: _Place) -> str | None:
    names = _function_names()
    return next((name for name in _CALLED.findall(place.before) if name.lower() not in names), None)


def _unknown_function_hint(place: _Place) -> str:
    return f" {unknown_function(_name_of_unknown_function(place) or '')}."


def _is_odd_name(place: _Place) -> bool:
    return "COMPARE" in place.expected and place.before[-1:].strip() != "" and place.got[:1] not in "=<>!~"


# What other languages, and English, call the operators.
_OPERATORS = {
    "equals": "==",
    "after": ">",
    "before": "<",
    "since": ">=",
    "from": ">=",
    "until": "<=",
    "till": "<=",
    "on": "==",
    "has": "contains",
    "includes": "contains",
    "include": "contains",
    "ilike": "like",
    "rlike": "matches",
    "regexp": "matches",
}
_IS = re.compile(r"is\b(?P<no>\s+not\b)?\s*(?P<none>(?:null|none|missing|empty|unknown)\b)?", re.IGNORECASE)
_LAST_FIELD = re.compile(r"(?:[A-Za-z_]\w*|`[^`]+`)$")


def _operator_hint(place: _Place) -> str:
    """Return what to write for an operator of another language, such as `is not null` or `after`."""
    field = _LAST_FIELD.search(place.before.rstrip())
    name = field[0] if field else "field"
    found = _IS.match(place.got + place.after) if place.got.lower() == "is" else None
    if found and found["none"]:
        return f" Write {'exists' if found['no'] else 'missing'}({name})."
    if found:
        return f" Write {'!=' if found['no'] else '=='}."
    operator = _OPERATORS[place.got.lower()]
    if operator[0] not in "<>":
        return f" Write {operator}."
    given = re.match(r"[^\s()\[\],]+", place.after.lstrip())
    day = one_date(given[0]) if given else None
    return f" Write {name} {operator} {day or 'YYYY-MM-DD'}."


_WORDS = re.compile(r"(?:and|or|not)(?![^\s()\[\],])", re.IGNORECASE)
_HINTS: tuple[tuple[Callable[[_Place], bool], Callable[[_Place], str]], ...] = (
    (lambda place: _name_of_unknown_function(place) is not None, _unknown_function_hint),
    (
        lambda place: place.got[:1] == "=" and "COMPARE" in place.expected,
        lambda _: " To compare, write ==.",
    ),
    (
        lambda place: place.got[:1] == "$",
        lambda _: " Specs are data: nothing in them is expanded or run. Quote a value that starts with '$'.",
    ),
    (
        lambda place: place.got[:1] in {"\u2018", "\u2019", "\u201c", "\u201d"},
        lambda _: " Write straight quotes: ' or \".",
    ),
    (
        lambda place: place.got[:1] in {"'", '"'} and "QUOTED" in place.expected,
        lambda place: f" Close the quote with another {place.got[0]} on the same line.",
    ),
    (
        lambda place: place.got[:2] in {"&&", "||"} or place.got in {"&", "|"},
        lambda _: " Join conditions with the words 'and' and 'or'.",
    ),
    (
        lambda place: "QUOTED" in place.expected and _WORDS.match(place.got) is not None,
        lambda _: " Quote a value that contains the words and, or, not.",
    ),
    (
        lambda place: "COMPARE" in place.expected and place.got.lower() in {"is", *_OPERATORS},
        _operator_hint,
    ),
    (
        lambda place: place.got == ">" and place.before.endswith("<"),
        lambda _: " For 'is not', write !=.",
    ),
    (
        lambda place: "DATE" in place.expected and date_hint(place.got) != "",
        lambda place: date_hint(place.got),
    ),
    (
        lambda place: "WORD" in place.expected and place.got[:1] not in {"", ")", "]"},
        lambda _: (
            " Join comparisons with 'and' or 'or'; quote a value that contains brackets, quotes or signs such as =."
        ),
    ),
    (_is_odd_name, lambda _: f" {ODD_NAME}: `eye-label`."),
)
