"""Near misses: spellings of one identifier that differ, as SQL.

Each kind folds more than the kind before it. So a value counts once, under the least that makes it match: `12346.0`
is a near miss of `0012346` by its decimals, although its leading zeros are missing too.
"""

from __future__ import annotations

ISSUER = "issuer"
"""An identifier that several patients have, listed without the issuer that tells them apart."""
KINDS = ("case", "spaces", "leading_zeros", "decimal", "affix")
"""Upper and lower case; spaces and hyphens of any kind; `12` for `0012`; `12.0` or `1.2E+01` for `12`; `12` for
`MRN-12`."""

# RE2's \s is ASCII only: the other spaces, what has no width at all, and hyphens with their look-alikes.
_SPACES = r"[\s\p{Z}\x{AD}\x{200B}-\x{200F}\x{2060}\x{FEFF}\p{Pd}\x{2212}_]"
_DECIMALS = "[.,]0+$"
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
        kind: `case`, `spaces`, `leading_zeros` or `decimal`.
    """
    text = f"LOWER(NFC_NORMALIZE({expression}))"
    if kind == "case":
        return text
    text = _replaced(text, _SPACES, "")
    if kind == "decimal":
        text = _whole(_replaced(text, _DECIMALS, ""))
    return text if kind == "spaces" else _without_zeros(text)


def cores(expression: str) -> str:
    """Return the SQL expression of the list of texts that are left without a prefix or suffix, folded.

    Args:
        expression: The SQL expression of the text, not folded: spaces and hyphens end a prefix.
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
