"""Terms in plain English: a field, or a number computed from fields."""

from __future__ import annotations

from functools import singledispatch

from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.term import Arithmetic, Call, Each, Field, Negative, Number, Quantifier, Sign, Term

_SIGNS = {Sign.PLUS: "plus", Sign.MINUS: "minus", Sign.TIMES: "times", Sign.OVER: "divided by"}


@singledispatch
def phrase(term: Term) -> str:
    """Return a term in English.

    Raises:
        NotImplementedError: No handler is registered for this type of node.
    """
    raise NotImplementedError(type(term).__name__)


@phrase.register(Field)
@phrase.register(Number)
def _field_or_number(term: Field | Number) -> str:
    return str(term)


@phrase.register(Each)
def _each(term: Each) -> str:
    which = "every value" if term.quantifier is Quantifier.ALL else "some value"
    return f"{which} of {term.field}"


@phrase.register(Negative)
def _negative(term: Negative) -> str:
    return f"minus {_bracketed(term.operand)}"


@phrase.register(Arithmetic)
def _arithmetic(term: Arithmetic) -> str:
    return f"{_bracketed(term.left)} {_SIGNS[term.sign]} {_bracketed(term.right)}"


@phrase.register(Call)
def _call(term: Call) -> str:
    words = [phrase(argument) for argument in term.arguments]
    listed = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    text = FUNCTIONS[term.function].words.format(*words, all=listed)
    if not term.is_statistic:
        return text
    groups = " and ".join(map(str, term.by))
    return f"{text} among images " + (f"of the same {groups}" if groups else "of the cohort")


def _bracketed(term: Term) -> str:
    return f"({phrase(term)})" if isinstance(term, Arithmetic) else phrase(term)
