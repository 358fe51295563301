r"""The natural order of texts such as accession numbers: numbers within a text are compared by size.

Only texts of one pattern have an order: the same letters and signs, with numbers in the same places. `CR-0004711` lies
between `CR-4000` and `CR-5000`; whether `MR-4711` does is unknown.

>>> order = natural_order("CR-0004000")
>>> order.pattern, order.numbers == natural_order("CR-4000").numbers
('^CR\\-([0-9]{1,64})$', True)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from monai_unlearn.vocabulary.folding import folded

DIGITS = 64  # that one number may have
# Decimals, numbers with a sign and dates: their digits do not order them.
_OTHER_ORDER = re.compile(
    r"[-+]?[0-9]*(?:[./][0-9]*)+(?:[eE][-+]?[0-9]+)?|[-+][0-9]+|[0-9]+[eE][-+]?[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}"
)


@dataclass(frozen=True)
class NaturalOrder:
    """Where a value lies among the texts of its pattern.

    Attributes:
        pattern: A regular expression that matches the whole of such a text, with a group for each number.
        numbers: The numbers of the value, with leading zeros up to `DIGITS`, in which texts are compared one by one.
    """

    pattern: str
    numbers: tuple[str, ...]


def natural_order(text: str) -> NaturalOrder | None:
    """Return where a value lies, or None where its digits do not order it: it has none, or is a decimal or a date."""
    text = folded(text)
    # The odd parts are runs of digits.
    parts = re.split(r"([0-9]+)", text)
    numbers = parts[1::2]
    if not numbers or _OTHER_ORDER.fullmatch(text) or max(map(len, numbers)) > DIGITS:
        return None
    pattern = "".join(
        f"([0-9]{{1,{DIGITS}}})" if place % 2 else re.escape(part).replace("\\ ", " ")
        for place, part in enumerate(parts)
    )
    return NaturalOrder(f"^{pattern}$", tuple(number.zfill(DIGITS) for number in numbers))
