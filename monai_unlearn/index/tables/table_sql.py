"""SQL that types the values of a table as `values.py` types those of a file: null if they are invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.index.doubts import BETWEEN_VALUES
from monai_unlearn.index.tables.spellings import (
    DOTTED_DAY,
    EIGHT_DIGITS,
    FIRST_YEAR,
    LAST_YEAR,
    LONGEST_MISSING,
    MISSING,
    MISSING_STARTS,
    MISSING_WORD,
    SPLIT_DAY,
    TIME,
    ZONE,
)
from monai_unlearn.index.values import LARGEST_EXACT_WHOLE, LONGEST_UID, UNITS_A_YEAR
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.laterality import IGNORED, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_PADDING = "' ' || chr(9) || chr(10) || chr(13)"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_DICOM_ZONE = r"([+-](0[0-9]|1[0-4])[0-5][0-9])?"
_DICOM_MOMENT = rf"([0-9]{{8}})([0-9]{{2}})?([0-9]{{2}})?([0-9]{{2}})?(\.[0-9]{{1,6}})?{_DICOM_ZONE}"
# A date without its day or month, in DICOM or ISO 8601 format.
_SHORTENED = {Kind.DATE: r"([0-9]{4})-?([0-9]{2})?", Kind.DATETIME: rf"([0-9]{{4}})-?([0-9]{{2}})?{_DICOM_ZONE}"}
# The day and the time of a moment in ISO 8601 format, or with slashes; groups 1 and 2.
_MOMENT = rf"([0-9]{{4}}(?:-[0-9]{{1,2}}-|/[0-9]{{1,2}}/)[0-9]{{1,2}})(?:[ T]({TIME}){ZONE})?"


def quoted(name: str) -> str:
    """Return a name quoted for SQL."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def cleaned(text: str, kept: Collection[str] = ()) -> str:
    """Return an expression for a text without its padding; null if nothing is left, or a word for a missing value.

    Trimming and comparing are slow and rarely needed, so the expression tests first.

    Args:
        text: The expression of the text.
        kept: The words that are values, in lower case.
    """
    trimmed = f"trim({text}, {_PADDING})"
    is_value = f"(strlen({text}) > {LONGEST_MISSING} OR NOT contains({literal(MISSING_STARTS)}, {text}[1]))"
    is_clean = f"{text}[1] > ' ' AND {text}[-1] > ' ' AND {is_value}"
    is_missing = f"(regexp_full_match({trimmed}, {literal(MISSING)}){_but(trimmed, kept)})"
    return f"CASE WHEN {is_clean} THEN {text} WHEN NOT {is_missing} THEN {trimmed} END"


def is_missing_word(text: str, kept: Collection[str] = ()) -> str:
    """Return the condition that a text is a word for a missing value, with or without padding."""
    padded = f"CAST({text} AS VARCHAR)"
    may_be = (
        f"strlen({padded}) BETWEEN 2 AND {2 * LONGEST_MISSING} "
        f"AND contains({literal(MISSING_STARTS)} || {_PADDING}, {padded}[1])"
    )
    trimmed = f"trim({padded}, {_PADDING})"
    is_word = f"regexp_full_match({trimmed}, {literal(MISSING_WORD)}){_but(trimmed, kept)}"
    return f"CASE WHEN {may_be} THEN {is_word} ELSE false END"


def word(text: str) -> str:
    """Return an expression for a text as a word: without its padding."""
    return f"trim(CAST({text} AS VARCHAR), {_PADDING})"


def _but(trimmed: str, kept: Collection[str]) -> str:
    return f" AND lower({trimmed}) NOT IN ({', '.join(map(literal, sorted(kept)))})" if kept else ""


def from_text(kind: Kind, text: str) -> str:
    """Return an expression for a cleaned text as a value of this kind, in DICOM or ISO 8601 format; null if invalid."""
    return _OF_TEXT[kind](text)


def partial_entry(keyword: str, kind: Kind, text: str) -> str:
    """Return an expression for the entry of a shortened date in the column `partial`; null for every other text."""
    year, month = (f"regexp_extract({text}, '^{_SHORTENED[kind]}$', {number})" for number in (1, 2))
    first = f"TRY_CAST({year} || '-' || coalesce(nullif({month}, ''), '01') || '-01' AS DATE)"
    last = f"CASE WHEN {month} = '' THEN {year} || '-12-31' ELSE last_day({first})::varchar END"
    entry = f"{literal(f'{keyword}=')} || {first} || '/' || {last}"
    # Python, which reads the index, has no year 0.
    return f"CASE WHEN {text} >= '0001' AND regexp_full_match({text}, '{_SHORTENED[kind]}') THEN {entry} END"


def several_entry(keyword: str, text: str) -> str:
    """Return an expression for the entry of several numbers in the column `several_values`; null for another text."""
    numbers = _different_numbers(text)
    entry = f"{literal(f'{keyword}=')} || array_to_string({numbers}, {literal(BETWEEN_VALUES)})"
    return f"CASE WHEN contains({text}, '\\') AND len({numbers}) > 1 THEN {entry} END"


def _different_numbers(text: str) -> str:
    """Return an expression for the different numbers between backslashes, ascending; null if one is invalid."""
    parts = f"list_transform(string_split({text}, '\\'), lambda part: trim(part, {_PADDING}))"
    parts = f"list_filter({parts}, lambda part: part <> '')"
    numbers = f"list_transform({parts}, lambda part: {_number('part')})"
    return (
        f"CASE WHEN len(list_filter({numbers}, lambda x: x IS NULL)) = 0 THEN list_sort(list_distinct({numbers})) END"
    )


def is_placeholder_age(text: str) -> str:
    """Return the condition that a text is the age `000Y`, which anonymisers write."""
    return f"regexp_full_match({text}, '0{{1,3}}Y')"


def uid(text: str) -> str:
    """Return an expression for a text that is a UID (DICOM PS3.5 section 9.1); null otherwise."""
    condition = rf"length({text}) <= {LONGEST_UID} AND regexp_full_match({text}, '[0-9]+(\.[0-9]+)*')"
    return f"CASE WHEN {condition} THEN {text} END"


def side(text: str) -> str:
    """Return an expression for the side that a text names: R, L, B, U; `?` if it is none; null if it is empty."""
    folded = f"lower(regexp_replace({text}, {literal(IGNORED)}, '', 'g'))"
    cases = " ".join(
        f"WHEN {folded} IN ({', '.join(literal(word) for word, meant in WORDS.items() if meant == side_)}) "
        f"THEN {literal(side_)}"
        for side_ in sorted(set(WORDS.values()))
    )
    return f"CASE WHEN {text} IS NULL THEN NULL {cases} ELSE '?' END"


def is_number(text: str) -> str:
    r"""Return the condition that a text is a number that a float preserves (`007` and 20 digits are not)."""
    plain = rf"regexp_full_match({text}, '{_NUMBER}') AND NOT regexp_matches({text}, '^[+-]?0[0-9]')"
    value = f"TRY_CAST({text} AS DOUBLE)"
    exact = f"abs({value}) <= {LARGEST_EXACT_WHOLE} OR {value} != trunc({value}) OR {text} ILIKE '%e%'"
    return f"({plain} AND isfinite({value}) AND ({exact}))"


def is_day(text: str) -> str:
    """Return the condition that a text is a day wherever it stands; see `spellings.py`."""
    digits = f"regexp_full_match({text}, '{EIGHT_DIGITS}')"
    years = f"{text}[1:4] BETWEEN '{FIRST_YEAR}' AND '{LAST_YEAR}'"
    return f"({_date(text)} IS NOT NULL AND (NOT {digits} OR {years}))"


def finite(number: str) -> str:
    """Return an expression for a number as a float; null if it is not finite."""
    return f"CASE WHEN isfinite(CAST({number} AS DOUBLE)) THEN CAST({number} AS DOUBLE) END"


def _numbers(text: str) -> str:
    one = f"CASE WHEN len({_different_numbers(text)}) = 1 THEN {_different_numbers(text)}[1] END"
    return f"CASE WHEN contains({text}, '\\') THEN {one} ELSE {_number(text)} END"


def _number(text: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, '{_NUMBER}') THEN {_finite_or_null(text)} END"


def _finite_or_null(text: str) -> str:
    return f"CASE WHEN isfinite(TRY_CAST({text} AS DOUBLE)) THEN TRY_CAST({text} AS DOUBLE) END"


def _date(text: str) -> str:
    eight = f"CASE WHEN regexp_full_match({text}, '{EIGHT_DIGITS}') THEN {_with_hyphens(text)}"
    dotted = f"WHEN regexp_full_match({text}, '{DOTTED_DAY}') THEN replace({text}, '.', '-')"
    split = f"WHEN regexp_full_match({text}, '{SPLIT_DAY}') THEN {_moment(text, 1)}"
    # Python, which reads the index, has no year 0.
    return f"CASE WHEN {text} >= '0001' THEN TRY_CAST({eight} {dotted} {split} END AS DATE) END"


def _moment(text: str, group: int) -> str:
    return f"replace(regexp_extract({text}, '^{_MOMENT}$', {group}), '/', '-')"


def _datetime(text: str) -> str:
    def part(number: int, default: str) -> str:
        return f"coalesce(nullif(regexp_extract({text}, '^{_DICOM_MOMENT}$', {number}), ''), {literal(default)})"

    time = f"{part(2, '00')} || ':' || {part(3, '00')} || ':' || {part(4, '00')} || {part(5, '')}"
    dicom = f"WHEN regexp_full_match({text}, '{_DICOM_MOMENT}') THEN {_with_hyphens(text)} || ' ' || {time}"
    iso = f"WHEN regexp_full_match({text}, '{_MOMENT}') THEN trim({_moment(text, 1)} || ' ' || {_moment(text, 2)})"
    return f"CASE WHEN {text} >= '0001' THEN TRY_CAST(CASE {dicom} {iso} END AS TIMESTAMP) END"


def _with_hyphens(text: str) -> str:
    return f"{text}[1:4] || '-' || {text}[5:6] || '-' || {text}[7:8]"


def _age(text: str) -> str:
    count = f"TRY_CAST(regexp_extract({text}, '^([0-9]{{1,3}})[DWMY]$', 1) AS DOUBLE)"
    cases = " ".join(f"WHEN '{unit}' THEN {count} / CAST({size!r} AS DOUBLE)" for unit, size in UNITS_A_YEAR.items())
    return f"CASE regexp_extract({text}, '^[0-9]{{1,3}}([DWMY])$', 1) {cases} END"


_OF_TEXT: Mapping[Kind, Callable[[str], str]] = {
    Kind.TEXT: str,
    Kind.NUMBER: _numbers,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.AGE: _age,
}
