r"""What people do not see in a text: runs of white space, invisible characters, and the many characters for a dash.

Texts are compared *folded*, so that such differences do not decide, and by their *letters*, which leave out case,
spaces and punctuation as well. Each form is here twice, for Python and as an SQL macro of DuckDB; both are built from
the tables below. White space and dashes are those of Unicode 15 (properties `White_Space` and `Dash`).

>>> folded(" Cirrus\u00a0 HD\u2011OCT  5000 ")
'Cirrus HD-OCT 5000'
>>> letters("CIRRUS_HD-OCT 5000")
'cirrushdoct5000'
"""

from __future__ import annotations

import re

_Ranges = tuple[tuple[int, int], ...]

# First and last code point of each range.
_SPACES: _Ranges = (
    (0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
)  # fmt: skip
# Zero-width spaces and joiners, marks of direction, and the byte order mark.
_INVISIBLE: _Ranges = ((0x180E, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2069), (0xFEFF, 0xFEFF))
# The soft hyphen and the hyphen bullet are dashes to whoever types them.
_DASHES: _Ranges = (
    (0xAD, 0xAD), (0x02D7, 0x02D7), (0x058A, 0x058A), (0x05BE, 0x05BE), (0x1806, 0x1806), (0x2010, 0x2015),
    (0x2043, 0x2043), (0x2053, 0x2053), (0x207B, 0x207B), (0x208B, 0x208B), (0x2212, 0x2212), (0x2796, 0x2796),
    (0x2E17, 0x2E17), (0x2E3A, 0x2E3B), (0x301C, 0x301C), (0x3030, 0x3030), (0xFE31, 0xFE32), (0xFE58, 0xFE58),
    (0xFE63, 0xFE63), (0xFF0D, 0xFF0D),
)  # fmt: skip
# Punctuation and signs of ASCII, Latin-1, General Punctuation, CJK and the full-width forms.
_PUNCTUATION: _Ranges = (
    (0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E), (0xA1, 0xA9), (0xAB, 0xB1), (0xB4, 0xB4), (0xB6, 0xB8),
    (0xBB, 0xBB), (0xBF, 0xBF), (0xD7, 0xD7), (0xF7, 0xF7), (0x02B9, 0x02BF), (0x2010, 0x2027), (0x2030, 0x205E),
    (0x2122, 0x2122), (0x3001, 0x3003), (0x3008, 0x3011), (0x3014, 0x301F), (0xFF01, 0xFF0F), (0xFF1A, 0xFF20),
    (0xFF3B, 0xFF40), (0xFF5B, 0xFF65),
)  # fmt: skip


def _in_python(*tables: _Ranges) -> str:
    return "[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for table in tables for first, last in table) + "]"


def _in_re2(*tables: _Ranges) -> str:
    return "[" + "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for table in tables for first, last in table) + "]"


_IGNORED = (_SPACES, _INVISIBLE, _DASHES, _PUNCTUATION)
_PATTERNS = {
    "invisible": re.compile(_in_python(_INVISIBLE)),
    "dashes": re.compile(_in_python(_DASHES)),
    "spaces": re.compile(f"{_in_python(_SPACES)}+"),
    "ignored": re.compile(f"{_in_python(*_IGNORED)}+"),
}
# What most texts do not have: they are folded already, which is found out at a fraction of the cost. No regular
# expression: DuckDB asks these functions once for each distinct text of a column, but such an expression for each row.
_ODD = "text GLOB '*[! -~]*' OR CONTAINS(text, '  ') OR STARTS_WITH(text, ' ') OR SUFFIX(text, ' ')"
# `folded` and `letters` as DuckDB has them, by statements that a connection executes once.
SQL_MACROS = (
    (
        f"CREATE OR REPLACE TEMP MACRO folded(text) AS CASE WHEN {_ODD} THEN "
        f"TRIM(REGEXP_REPLACE(REGEXP_REPLACE(REGEXP_REPLACE(text, '{_in_re2(_INVISIBLE)}', '', 'g'), "
        f"'{_in_re2(_DASHES)}', '-', 'g'), '{_in_re2(_SPACES)}+', ' ', 'g')) ELSE text END"
    ),
    (
        "CREATE OR REPLACE TEMP MACRO letters(text) AS "
        f"REPLACE(LOWER(REGEXP_REPLACE(text, '{_in_re2(*_IGNORED)}+', '', 'g')), CHR(775), '')"
    ),
)


def folded(text: str) -> str:
    """Return a text with single spaces, without spaces at its ends or invisible characters, and with plain dashes."""
    visible = _PATTERNS["invisible"].sub("", text)
    return _PATTERNS["spaces"].sub(" ", _PATTERNS["dashes"].sub("-", visible)).strip(" ")


def letters(text: str) -> str:
    """Return the letters and digits of a text in lower case, without spaces, dashes and other punctuation."""
    # Letter by letter, as databases do it: `lower` of a whole word knows the Greek final sigma.
    lower = "".join(map(str.lower, _PATTERNS["ignored"].sub("", text)))
    return lower.replace("\u0307", "")  # what remains of a Turkish capital I with a dot


def visible(text: str) -> str:
    r"""Return a text in which readers see what folding changes: odd characters by their codes, further spaces as ␣.

    >>> visible("AX  STIR"), visible("HD\u2011OCT"), visible("AX STIR")
    ('AX␣␣STIR', 'HD<U+2011>OCT', 'AX STIR')
    """
    runs = re.sub(r"^ +| {2,}| +$", lambda run: "␣" * len(run[0]), text)
    return "".join(
        character if character == " " or folded(character) == character else f"<U+{ord(character):04X}>"
        for character in runs
    )


def folding_matters(text: str) -> bool:
    """Return whether a text has a place where a folded and an exact comparison may differ.

    >>> folding_matters("AX STIR"), folding_matters("Cirrus"), folding_matters("2019-01-31")
    (True, False, False)
    """
    return folded(text) != text or (re.search(r"[ -]", text) is not None and not _is_number_or_date(text))


def _is_number_or_date(text: str) -> bool:
    return re.fullmatch(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None
