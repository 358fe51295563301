"""Text to predicate. Lark does the reading; what it cannot read is said in our own words."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from monai_unlearn.cohort.explain_syntax import explain
from monai_unlearn.cohort.predicate import (
    MAX_DEPTH,
    And,
    Comparison,
    Exists,
    Field,
    In,
    Missing,
    Not,
    Operator,
    Or,
    Predicate,
    Value,
)
from monai_unlearn.cohort.source import Fault, Source, Span, combined

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH = 10_000


def parse(text: str) -> Predicate:
    """Read a predicate that stands in no file.

    Raises:
        SpecError: The text is no predicate; the message points at what is wrong.
    """
    source = Source.of(text)
    result = parse_source(source)
    if isinstance(result, Fault):
        raise combined([result], source.document.name)
    return result


def parse_source(source: Source) -> Predicate | Fault:
    """Read a predicate, or say what is wrong with it and where."""
    if len(source.text) > MAX_LENGTH:
        return Span(source, 0, 0).fault(
            f"expected a predicate of at most {MAX_LENGTH} characters, got {len(source.text)}. "
            "Put long lists of values into a column of the index's table instead."
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
    text = resources.files("monai_unlearn.cohort").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr")


def _offending(error: UnexpectedInput, source: Source) -> Span:
    """Return the first text that does not fit: a token, a run of characters, or nothing at the end."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return Span(source, len(source.text), len(source.text))
    if isinstance(error, UnexpectedToken):
        return Span(source, error.token.start_pos, error.token.end_pos)
    start = error.pos_in_stream or 0
    words = source.text[start:].split(maxsplit=1)
    return Span(source, start, start + len(words[0]) if words else len(source.text))


def _expected(error: UnexpectedInput) -> frozenset[str]:
    """Return the grammar's terminals that would have fitted."""
    if isinstance(error, UnexpectedCharacters):
        return frozenset(error.allowed or ())
    return frozenset(error.accepts or error.expected) if isinstance(error, UnexpectedToken) else frozenset()


def _depth(tree: Tree) -> int:
    """Measure a tree without recursing into it: nothing has bounded it yet."""
    deepest, pending = 0, [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        deepest = max(deepest, depth)
        pending.extend((child, depth + 1) for child in node.children if isinstance(child, Tree))
    return deepest


class _Builder:
    """Builds our nodes from the grammar's tree; its depth has been checked."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.faults: list[Fault] = []
        self._rules: dict[str, Callable[..., Any]] = {
            "field": self._field,
            "value": self._value,
            "compare": lambda field, operator, value: Comparison(field, Operator(operator), value),
            "is_in": lambda field, *values: In(field, values),
            "is_not_in": lambda field, *values: Not(In(field, values)),
            "exists": Exists,
            "missing": Missing,
            "negate": Not,
            "all_of": lambda *operands: And(operands),
            "any_of": lambda *operands: Or(operands),
        }

    def build(self, tree: Tree) -> Any:  # noqa: ANN401 - a field, a value or a predicate
        """Return what a rule of the grammar stands for."""
        children = [self.build(child) if isinstance(child, Tree) else child for child in tree.children]
        return self._rules[tree.data](*children)

    def _field(self, token: Token) -> Field:
        return Field(str(token).strip("`"), self._span(token))

    def _value(self, *tokens: Token) -> Value:
        span = self._span(*tokens)
        if tokens[0].type == "QUOTED":
            quote = tokens[0][0]
            return Value(tokens[0][1:-1].replace(quote * 2, quote), span)
        text = " ".join(tokens)
        if text.lower() == "null":
            self.faults.append(
                span.fault("a comparison with null is never true. Write missing(field), or quote the word: 'null'.")
            )
        return Value(text, span)

    def _span(self, *tokens: Token) -> Span:
        return Span(self._source, tokens[0].start_pos, tokens[-1].end_pos)
