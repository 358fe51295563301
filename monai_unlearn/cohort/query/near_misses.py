"""Near misses: spellings of one identifier that differ, as SQL.

Each kind folds more than the kind before it. So a value counts once, under the least that makes it match: `12346.0`
is a near miss of `0012346` by its decimals, although its leading zeros are missing too.
"""

from __future__ import annotations

import unicodedata

ISSUER = "issuer"
"""An identifier that several patients have, listed without the issuer that tells them apart."""
KINDS = ("case", "spaces", "compatibility", "leading_zeros", "decimal", "affix")
"""Upper and lower case; spaces and hyphens of any kind; full-width and other forms of a letter or digit; `12` for
`0012`; `12.0` or `1.2E+01` for `12`; `12` for `MRN-12`."""

# RE2's \s is ASCII only: the other spaces, what has no width at all, and hyphens with their look-alikes.
_SPACES = r"[\s\p{Z}\x{AD}\x{200B}-\x{200F}\x{2060}\x{FEFF}\p{Pd}\x{2212}_]"
_DECIMALS = "[.,]0+$"
# Blocks of Unicode with other forms of letters and digits: Latin-1, superscripts and subscripts, letterlike symbols,
# enclosed, full-width and mathematical ones. First and last code point of each.
_BLOCKS = (
    (0xA0, 0xFF), (0x2070, 0x209F), (0x2100, 0x214F), (0x2460, 0x24FF), (0xFF00, 0xFFEF), (0x1D400, 0x1D7FF)
)  # fmt: skip
# What a prefix or suffix leaves of a value: without letters and signs before the first or after the last
# digit, and without what stands before or after the first or last sign.
_CUTS = (
    (r"^[^0-9]+", ""),
    (r"[^0-9]+$", ""),
    (r"^[^\p{L}\p{N}]*[\p{L}\p{N}]+[^\p{L}\p{N}]+", ""),
    (r"^.*[^\p{L}\p{N}]", ""),
    (r"[^\p{L}\p{N}]+[\p{L}\p{N}]+[^\p{L}\p{N}]*$", ""),
    (r"[^\p{L}\p{N}].*$", ""),
)


def folded(expression: str, kind: str) -> str:
    """Return the SQL expression of a text in which everything up to a kind is folded.

    Args:
        expression: The SQL expression of the text.
        kind: `case`, `spaces`, `compatibility`, `leading_zeros` or `decimal`.
    """
    if kind not in {"case", "spaces"}:
        expression = common_forms(expression)
    text = f"LOWER(NFC_NORMALIZE({expression}))"
    if kind == "case":
        return text
    text = _replaced(text, _SPACES, "")
    if kind == "decimal":
        text = _whole(_replaced(text, _DECIMALS, ""))
    return text if kind in {"spaces", "compatibility"} else _without_zeros(text)


def common_forms(expression: str) -> str:
    """Return the SQL expression of a text with the common forms of its letters and digits; see `COMMON_FORMS`."""
    return f"common_forms({expression})"


def cores(expression: str) -> str:
    """Return the SQL expression of the list of texts that are left without a prefix or suffix, folded.

    Args:
        expression: The SQL expression of the text in common forms, but not folded: spaces and hyphens end a prefix.
    """
    text = f"TRIM({expression})"
    cut = [_replaced(text, pattern, new) for pattern, new in _CUTS]
    cut.append(_replaced(_replaced(text, *_CUTS[0]), *_CUTS[1]))
    # Without exponents, which would cost as much as all the rest.
    listed = ", ".join(_without_zeros(_replaced(folded(one, "spaces"), _DECIMALS, "")) for one in cut)
    # What has no digit, and one or two letters, is no identifier.
    return f"LIST_FILTER(LIST_DISTINCT([{listed}]), lambda core: REGEXP_MATCHES(core, '[0-9]|...'))"


def _whole(text: str) -> str:
    """Return a number that Excel wrote with an exponent, such as 1.2346E+04, with its digits."""
    digits = "CAST(CAST(CAST(one AS DOUBLE) AS BIGINT) AS VARCHAR)"
    pattern = "^[0-9]([.][0-9]{1,16})?e[+]?(0?[0-9]|1[0-5])$"  # Excel has 15 digits
    # A list of one, because repeating the expression would double its length.
    return f"LIST_TRANSFORM([{text}], lambda one: IF(REGEXP_MATCHES(one, '{pattern}'), {digits}, one))[1]"


def _without_zeros(text: str) -> str:
    return _replaced(text, r"(^|[^0-9])0+([0-9])", r"\1\2")


def _replaced(text: str, pattern: str, new: str) -> str:
    return f"REGEXP_REPLACE({text}, '{pattern}', '{new}', 'g')"


def _common_forms() -> str:
    """Return the SQL macro that replaces letters and digits by the common form that Unicode gives for them (NFKC).

    DuckDB knows no NFKC. Where that writes several characters for one, such as a ligature, the character stays.
    """
    characters = [chr(code) for first, last in _BLOCKS for code in range(first, last + 1)]
    common = {character: unicodedata.normalize("NFKC", character) for character in characters}
    common = {old: new for old, new in common.items() if old != new and new.isalnum() and len(new) == 1}
    translated = f"TRANSLATE(text, '{''.join(common)}', '{''.join(common.values())}')"
    # Most texts are ASCII, and stay as they are.
    either = f"CASE WHEN text GLOB '*[! -~]*' THEN {translated} ELSE text END"
    return f"CREATE OR REPLACE TEMP MACRO common_forms(text) AS {either}"


COMMON_FORMS = _common_forms()
"""The statement that a connection executes before it is asked for near misses."""
