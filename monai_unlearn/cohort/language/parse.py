"""Text to predicate. Lark parses; syntax errors are reported in our own words (`syntax_errors.py`)."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

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
from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.logic import And, Not, Or
from monai_unlearn.cohort.language.node import MAX_DEPTH, Node, Reference, Value
from monai_unlearn.cohort.language.predicate import Exists, Missing, Predicate
from monai_unlearn.cohort.language.source import Fault, Source, Span, combined
from monai_unlearn.cohort.language.syntax_errors import explain, unknown_function
from monai_unlearn.cohort.language.term import Arithmetic, Call, Each, Field, Negative, Number, Quantifier, Sign, Term

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH = 10_000


def parse(text: str) -> Predicate:
    """Parse a predicate that is not part of a file.

    Raises:
        SpecError: The text is not a predicate; the message points at the fault.

    >>> predicate = parse("device == Cirrus 800 FA and acquired < 2019-01-01")
    >>> type(predicate).__name__, [type(operand).__name__ for operand in predicate.operands]
    ('And', ['Comparison', 'Comparison'])
    >>> str(predicate)
    'device == Cirrus 800 FA and acquired < 2019-01-01'
    >>> parse("device = Cirrus")
    Traceback (most recent call last):
    ...
    monai_unlearn.errors.SpecError: predicate:1:8: expected one of == != ~= < <= > >=, ... To compare, write ==.
        1 | device = Cirrus
          |        ^
    """
    source = Source.of(text)
    result = parse_source(source)
    if isinstance(result, Fault):
        raise combined([result], source.document.name)
    return result


def parse_source(source: Source, *, max_length: int = MAX_LENGTH) -> Predicate | Fault:
    """Return the predicate of a text, or the fault in it."""
    if len(source.text) > max_length:
        return Span(source, 0, 0).fault(
            f"expected a predicate of at most {max_length} characters, got {len(source.text)}. "
            "Put long lists of values into a value set: field in @name."
        )
    try:
        tree = _grammar().parse(source.text)
    except UnexpectedInput as error:
        return explain(_offending(error, source), _expected(error))
    if _depth(tree) > MAX_DEPTH:
        return Span(source, 0, 0).fault(f"expected at most {MAX_DEPTH} nested levels, got more.")
    builder = _Builder(source)
    predicate: Predicate = builder.build(tree)
    return builder.faults[0] if builder.faults else predicate


@cache
def _grammar() -> Lark:
    text = resources.files("monai_unlearn.cohort.language").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr")


def _offending(error: UnexpectedInput, source: Source) -> Span:
    """Return the first text that does not fit: a token, a run of characters, or the empty end."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return Span(source, len(source.text), len(source.text))
    if isinstance(error, UnexpectedToken):
        return Span(source, error.token.start_pos, error.token.end_pos)
    start = error.pos_in_stream or 0
    words = source.text[start:].split(maxsplit=1)
    return Span(source, start, start + len(words[0]) if words else len(source.text))


def _expected(error: UnexpectedInput) -> frozenset[str]:
    """Return the grammar's terminals that are valid there."""
    if isinstance(error, UnexpectedCharacters):
        return frozenset(error.allowed or ())
    return frozenset(error.accepts or error.expected) if isinstance(error, UnexpectedToken) else frozenset()


def _depth(tree: Tree) -> int:
    """Return the depth of a tree, without recursion: it is not bounded yet."""
    deepest, pending = 0, [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        deepest = max(deepest, depth)
        pending.extend((child, depth + 1) for child in node.children if isinstance(child, Tree))
    return deepest


class _Builder:
    """Builds nodes from the grammar's tree, whose depth has been checked."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.faults: list[Fault] = []
        self._rules: dict[str, Callable[..., Any]] = {
            "field": self._field,
            "value": self._value,
            "reference": lambda token: Reference(str(token)[1:], self._span(token)),
            "number": self._number,
            "negative": lambda _sign, operand: Negative(operand),
            "arithmetic": lambda left, sign, right: Arithmetic(Sign(sign), left, right),
            "each": lambda word, field: Each(Quantifier(word.lower()), field),
            "groups": lambda *fields: list(fields),
            "call": self._call,
            "compare": lambda term, operator, value: Comparison(term, Operator(operator), value),
            "is_in": _is_in,
            "is_not_in": lambda *parts: Not(_is_in(*parts)),
            "between": Between,
            "not_between": lambda *parts: Not(Between(*parts)),
            "contains": Contains,
            "not_contains": lambda *parts: Not(Contains(*parts)),
            "like": Like,
            "not_like": lambda *parts: Not(Like(*parts)),
            "matches": self._matches,
            "not_matches": lambda *parts: Not(self._matches(*parts)),
            "within": _within,
            "not_within": lambda *parts: Not(_within(*parts)),
            "exists": Exists,
            "missing": Missing,
            "negate": Not,
            "all_of": lambda *operands: And(operands),
            "any_of": lambda *operands: Or(operands),
        }

    def build(self, tree: Tree) -> Any:  # noqa: ANN401 - a term, a value or a predicate
        """Return the node of a subtree; where it cannot be built, record a fault and return one of its children."""
        children = [self.build(child) if isinstance(child, Tree) else child for child in tree.children]
        try:
            return self._rules[tree.data](*children)
        except ValueError as error:
            self.faults.append(self._span_of(tree).fault(f"{error}."))
            return next((child for child in children if isinstance(child, Node)), Field("?"))

    def _field(self, token: Token) -> Field:
        return Field(str(token).strip("`"), self._span(token))

    def _value(self, *tokens: Token) -> Value:
        span = self._span(*tokens)
        if tokens[0].type == "QUOTED":
            quote = tokens[0][0]
            return Value(tokens[0][1:-1].replace(quote * 2, quote), exact=True, at=span)
        text = " ".join(tokens)
        if text.lower() == "null":
            self.faults.append(
                span.fault("a comparison with null is never true. Write missing(field), or quote the word: 'null'.")
            )
        return Value(text, at=span)

    def _number(self, number: Token, unit: Token | None = None) -> Number:
        return Number(str(number), str(unit) if unit else None, self._span(number, *([unit] if unit else [])))

    def _call(self, name: Token, *parts: Any) -> Term:  # noqa: ANN401 - terms, and a list of fields at the end
        by = parts[-1] if isinstance(parts[-1], list) else []
        function = name.lower()
        if function not in FUNCTIONS:
            raise ValueError(unknown_function(name))
        return Call(function, tuple(parts[: -1 if by else None]), tuple(by), self._span(name))

    def _matches(self, term: Term, pattern: Token) -> Matches:
        expression, _, flags = pattern[1:].rpartition("/")
        return Matches(term, expression, ignore_case=flags == "i", at=self._span(pattern))

    def _span(self, *tokens: Token) -> Span:
        return Span(self._source, tokens[0].start_pos, tokens[-1].end_pos)

    def _span_of(self, tree: Tree) -> Span:
        tokens = list(tree.scan_values(lambda value: isinstance(value, Token)))
        if tree.data == "call":  # point at the function's name
            return self._span(tokens[0])
        return self._span(tokens[0], tokens[-1])


def _is_in(term: Term, *values: Value | Reference) -> In:
    if isinstance(values[0], Reference):
        return In(term, values[0])
    return In(term, tuple(value for value in values if isinstance(value, Value)))


def _within(term: Term, span: Token, direction: Token, anchor: Value | Reference | Field) -> Within:
    number, unit = span.lower().split()
    days = int(number) * (7 if unit.startswith("week") else 1)
    return Within(term, days, Direction(direction.lower()), anchor)
