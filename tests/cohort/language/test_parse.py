"""What parses and, for what does not, the whole message with its caret."""

from __future__ import annotations

import pytest

from monai_unlearn.cohort.language.condition import Comparison, Operator
from monai_unlearn.cohort.language.functions import FUNCTIONS
from monai_unlearn.cohort.language.logic import And
from monai_unlearn.cohort.language.node import Value
from monai_unlearn.cohort.language.parse import MAX_LENGTH, parse
from monai_unlearn.cohort.language.term import Field
from monai_unlearn.errors import SpecError


def test_values_need_no_quotes():
    assert parse("device == Cirrus 800 FA and acquired < 2019-01-01") == And(
        (
            Comparison(Field("device"), Operator.EQUAL, Value("Cirrus 800 FA")),
            Comparison(Field("acquired"), Operator.LESS, Value("2019-01-01")),
        )
    )


def test_layout_makes_no_difference():
    assert parse("  device==Cirrus\n   800\tFA ") == parse("device == Cirrus 800 FA")
    assert parse("device\u00a0==\u00a0Cirrus\u2009800\u3000FA") == parse("device == Cirrus 800 FA")


@pytest.mark.parametrize(
    "text", ["a == android", "a == Oregon", "a == nothing", "a == in vivo", "exists == 1", "a == a&b"]
)
def test_words_that_only_begin_like_a_keyword_are_values(text):
    assert str(parse(text)) == text


FAULTS = {
    "device = 5": """
predicate:1:8: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'like', 'matches' or 'within', \
got '='. To compare, write ==.
    1 | device = 5
      |        ^""",
    "devi ce == 1": """
predicate:1:6: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'like', 'matches' or 'within', \
got 'ce'.
    1 | devi ce == 1
      |      ^^""",
    "exist(device)": """
predicate:1:14: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'like', 'matches' or 'within', \
got the end of the predicate. There is no function 'exist'. Did you mean 'exists'? The functions are FUNCTIONS.
    1 | exist(device)
      |              ^""",
    "exist(device) > 3": """
predicate:1:1: There is no function 'exist'. Did you mean 'exists'? The functions are FUNCTIONS.
    1 | exist(device) > 3
      | ^^^^^""",
    "mean(vpf) > 3": """
predicate:1:1: mean takes at least 2 arguments, got 1.
    1 | mean(vpf) > 3
      | ^^^^""",
    "zscore(mad_z(vpf)) > 3": """
predicate:1:1: zscore is a cohort statistic: it cannot be computed from another one.
    1 | zscore(mad_z(vpf)) > 3
      | ^^^^^^""",
    "age between 3 or 4": """
predicate:1:15: expected 'and', got 'or'.
    1 | age between 3 or 4
      |               ^^""",
    "device matches Cirrus": """
predicate:1:16: expected a regular expression such as /^OCT/, got 'Cirrus'.
    1 | device matches Cirrus
      |                ^^^^^^""",
    "acquired within a month of 2018-01-01": """
predicate:1:17: expected a window such as 30 days, got 'a'.
    1 | acquired within a month of 2018-01-01
      |                 ^""",
    "a == 1 && b == 2": """
predicate:1:8: expected 'and' or 'or', got '&&'. Join conditions with the words 'and' and 'or'.
    1 | a == 1 && b == 2
      |        ^^""",
    "device is not null": """
predicate:1:8: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'like', 'matches' or 'within', \
got 'is'. Write exists(device).
    1 | device is not null
      |        ^^""",
    "`odd name` IS NULL": """
predicate:1:12: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'like', 'matches' or 'within', \
got 'IS'. Write missing(`odd name`).
    1 | `odd name` IS NULL
      |            ^^""",
    "device is not Cirrus": """
predicate:1:8: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'like', 'matches' or 'within', \
got 'is'. Write !=.
    1 | device is not Cirrus
      |        ^^""",
    "acquired after 2019-01-01": """
predicate:1:10: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'like', 'matches' or 'within', \
got 'after'. Write acquired > 2019-01-01.
    1 | acquired after 2019-01-01
      |          ^^^^^""",
    "acquired since 15.01.2019 and device == x": """
predicate:1:10: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'like', 'matches' or 'within', \
got 'since'. Write acquired >= 2019-01-15.
    1 | acquired since 15.01.2019 and device == x
      |          ^^^^^""",
    "acquired before 01/02/2019": """
predicate:1:10: expected one of == != ~= < <= > >=, 'in', 'between', 'contains', 'like', 'matches' or 'within', \
got 'before'. Write acquired < YYYY-MM-DD.
    1 | acquired before 01/02/2019
      |          ^^^^^^""",
    "acquired within 30 days of 01.01.2019": """
predicate:1:28: expected a date, a field or @name, got '01.01.2019'. Write the year first: 2019-01-01.
    1 | acquired within 30 days of 01.01.2019
      |                            ^^^^^^^^^^""",
    "device <> Cirrus": """
predicate:1:9: expected a value, got '>'. For 'is not', write !=.
    1 | device <> Cirrus
      |         ^""",
    "device like Cirrus%": """
predicate:1:1: expected a whole value: 'like' has no wildcards. For a part of the text, write: contains.
    1 | device like Cirrus%
      | ^^^^^^^^^^^^^^^^^^^""",
    "a == x b == y": """
predicate:1:10: expected 'and', 'or' or the end, got '=='. Join comparisons with 'and' or 'or'; quote a value that \
contains brackets, quotes or signs such as =.
    1 | a == x b == y
      |          ^^""",
    "a in [b, c": """
predicate:1:11: expected ',' or ']', got the end of the predicate.
    1 | a in [b, c
      |           ^""",
    "(a == 1": """
predicate:1:8: expected ')', got the end of the predicate.
    1 | (a == 1
      |        ^""",
    "a == 1)": """
predicate:1:7: expected the end, got ')'.
    1 | a == 1)
      |       ^""",
    "a in b": """
predicate:1:6: expected a list such as [a, b], got 'b'.
    1 | a in b
      |      ^""",
    "a in []": """
predicate:1:7: expected a value, got ']'.
    1 | a in []
      |       ^""",
    "a ==": """
predicate:1:5: expected a value, got the end of the predicate.
    1 | a ==
      |     ^""",
    "": """
predicate:1:1: expected a field, got the end of the predicate.
    1 |
      | ^""",
    "a == 'open": """
predicate:1:6: expected a value, got ''open'. Close the quote with another ' on the same line.
    1 | a == 'open
      |      ^^^^^""",
    "a == \u201cx\u201d": """
predicate:1:6: expected a value, got '\u201cx\u201d'. Write straight quotes: ' or ".
    1 | a == \u201cx\u201d
      |      ^^^""",
    "a == not known": """
predicate:1:6: expected a value, got 'not'. Quote a value that contains the words and, or, not.
    1 | a == not known
      |      ^^^""",
    "a == $HOME": """
predicate:1:6: expected a value, got '$HOME'. Specs are data: nothing in them is expanded or run. Quote a value that \
starts with '$'.
    1 | a == $HOME
      |      ^^^^^""",
    "a == null": """
predicate:1:6: a comparison with null is never true. Write missing(field), or quote the word: 'null'.
    1 | a == null
      |      ^^^^""",
    "a ==\u200bx": """
predicate:1:5: expected a value, got '<U+200B ZERO WIDTH SPACE>x'. Join comparisons with 'and' or 'or'; quote a value \
that contains brackets, quotes or signs such as =.
    1 | a == x
      |     ^^""",
    "patient in [P17, P18 P19]]": """
predicate:1:26: expected 'and', 'or' or the end, got this text.""",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items())
def test_a_message_shows_the_fault_with_a_caret(text, message):
    message = message.replace("FUNCTIONS", ", ".join(["exists", "missing", "any", "all", *FUNCTIONS]))
    with pytest.raises(SpecError, match=r"^predicate:1:") as caught:
        parse(text)
    assert [line.rstrip() for line in str(caught.value).splitlines()] == message.strip("\n").splitlines()


@pytest.mark.parametrize(
    "text",
    ["not " * 2000 + "exists(a)", "(" * 60 + " or (".join(["a == 1"] * 60) + ")" * 119],
)
def test_deep_predicates_are_refused_before_anything_recurses(text):
    with pytest.raises(SpecError, match="at most 50 nested levels"):
        parse(text)


def test_redundant_brackets_do_not_count_as_nesting():
    assert str(parse("(" * 3000 + "exists(a)" + ")" * 3000)) == "exists(a)"


def test_long_predicates_are_refused():
    parse("a == " + "x" * (MAX_LENGTH - 5))
    with pytest.raises(SpecError, match="at most 10000 characters, got 10001"):
        parse("a == " + "x" * (MAX_LENGTH - 4))


def test_a_long_line_is_shown_around_the_fault():
    with pytest.raises(SpecError, match="expected a value") as caught:
        parse("a == 1 and " * 300 + "b == ")
    assert max(map(len, str(caught.value).splitlines())) < 120
    shown, carets = str(caught.value).splitlines()[1:]
    assert shown.rstrip().endswith("b ==")
    assert carets.endswith("^")
