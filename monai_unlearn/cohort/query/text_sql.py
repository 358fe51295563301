"""Conditions on texts in SQL: in which form texts are compared, and what several texts in one value mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.node import Reference, Value
from monai_unlearn.cohort.language.term import Call, Each, Quantifier, Term
from monai_unlearn.cohort.query.sql import Sql, SqlContext
from monai_unlearn.cohort.query.term_sql import term_sql
from monai_unlearn.cohort.typing.natural_order import DIGITS, natural_order
from monai_unlearn.vocabulary.folding import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monai_unlearn.cohort.query.sql import Parameter
    from monai_unlearn.cohort.typing.term_type import TermType
    from monai_unlearn.cohort.typing.values import TypedValue

Form = Callable[[str], str]
"""Returns the SQL expression of the form in which a text is compared, given that of the text."""


@dataclass(frozen=True)
class TextTerm:
    """A term of text, which in DICOM may be several texts joined by backslashes.

    Attributes:
        term: A field, `any(field)`, `all(field)`, or a function of a field.
        context: What its field is in the query.
    """

    term: Term
    context: SqlContext

    @property
    def is_made(self) -> bool:
        """Whether a function makes the text, which is then compared as it is."""
        return self.context.type_of(self.term).made_by is not None

    def condition(
        self, holds: Callable[[str], Sql], value: TypedValue = "", *, each: Callable[[str], Sql] | None = None
    ) -> Sql:
        r"""Return the condition that one of the texts meets, or with `all(…)` all of them.

        Texts for which it is unknown do not count, unless it is unknown for every one. A value that contains a
        backslash itself is compared with the whole text.

        Args:
            holds: Returns the condition on one text, given its expression.
            value: The value that the text is compared with.
            each: The same as `holds` for one of several texts, where it must be written differently.
        """
        expression = self._source
        one = holds(self._made(expression))
        if not self.context.type_of(self.term).many or is_whole(value, self.term):
            return one
        several = (each or holds)(self._made("part"))
        is_all = isinstance(self.term, Each) and self.term.quantifier is Quantifier.ALL
        met = f"{'LIST_BOOL_AND' if is_all else 'LIST_BOOL_OR'}({_for_parts(expression, several.text)})"
        text = f"CASE WHEN CONTAINS({expression}, '\\') THEN {met} ELSE {one.text} END"
        return Sql(text, (*several.parameters, *one.parameters))

    def texts(self, *, whole: bool) -> tuple[str, str]:
        r"""Return how `condition` finds the texts that it compares one by one, as two SQL expressions.

        Images have fewer different values than they are; so these are taken apart once for each.

        Args:
            whole: Whether the texts are compared with a value that contains a backslash itself.

        Returns:
            The value of an image, and the list of the texts in a value that is called `stored`.
        """
        one = f"[{self._made('stored')}]"
        if whole or not self.context.type_of(self.term).many:
            return self._source, one
        parts = _for_parts("stored", self._made("part"))
        return self._source, f"CASE WHEN CONTAINS(stored, '\\') THEN {parts} ELSE {one} END"

    @property
    def _source(self) -> str:
        argument = self.term.arguments[0] if isinstance(self.term, Call) else self.term
        return term_sql(argument, self.context)

    def _made(self, text: str) -> str:
        made_by = self.context.type_of(self.term).made_by
        make = FUNCTIONS[made_by].sql if made_by is not None else None
        return text if make is None else make([text])


def comparands(term: Term, given: Value | Reference, context: SqlContext) -> Iterator[tuple[str, Form]]:
    """Yield each value that a text is compared with, in the form in which both are compared.

    Values that are quoted, and what functions make, are compared exactly; other values, and those of value sets, are
    folded.
    """
    wanted = context.type_of(term)
    for text in map(str, context.values(given, wanted)):
        yield comparand(text, wanted, exact=isinstance(given, Value) and given.exact)


def comparand(text: str, wanted: TermType, *, exact: bool) -> tuple[str, Form]:
    """Return a value of a term of text as it is compared, and the form in which both are; see `comparands`."""
    return (text, _exactly) if exact or wanted.made_by is not None else (folded(text), _folded)


def in_natural_order(text: str, limits: Sequence[tuple[str, str]]) -> Sql:
    """Return the condition that a text lies within limits; unknown for a text of another pattern.

    Args:
        text: The expression of the text.
        limits: Operators, each with a value; all values have one pattern.
    """
    orders = [natural_order(value) for _, value in limits]
    known = [order for order in orders if order is not None]
    if len(known) < len(limits):
        raise AssertionError("a bound value has an order")
    pattern, form = known[0].pattern, _folded(text)
    groups = range(1, len(known[0].numbers) + 1)
    numbers = ", ".join(f"LPAD(REGEXP_EXTRACT({form}, ?, {group}), {DIGITS}, '0')" for group in groups)
    limited = " AND ".join(f"[{numbers}] {operator} ?" for operator, _ in limits)
    parameters: list[Parameter] = [pattern]
    for order in known:
        parameters += [*[pattern] * len(groups), [*order.numbers]]
    return Sql(f"CASE WHEN REGEXP_MATCHES({form}, ?) THEN {limited} END", tuple(parameters))


def is_whole(value: TypedValue, term: Term) -> bool:
    """Return whether a value is compared with the whole of several texts: it has a backslash of its own."""
    return isinstance(value, str) and "\\" in value and not isinstance(term, Each)


def _for_parts(expression: str, made: str) -> str:
    """Return the list of what is made of each `part` of several texts; what stands between backslashes may be empty."""
    parts = f"LIST_FILTER(STRING_SPLIT({expression}, '\\'), lambda part: part <> '')"
    return f"LIST_TRANSFORM({parts}, lambda part: {made})"


def _exactly(text: str) -> str:
    return text


def _folded(text: str) -> str:
    return f"folded({text})"
