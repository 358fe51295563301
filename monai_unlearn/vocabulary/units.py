"""Units of columns and of numbers in specs, in the spellings of UCUM or of people; pint converts them.

pint is loaded only when a unit is declared that is not among the most common ones, or when two different units meet.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint

# A unit as factors with their powers: `g/cm3` is (("g", 1), ("cm", -3)), a plain number ().
Unit = tuple[tuple[str, int], ...]

NO_UNIT: Unit = ()
YEAR: Unit = (("year", 1),)

_LONGEST = 32
_FACTOR = re.compile(r"([A-Za-zµμ°%_]+|\[[A-Za-z_']+\]|[a-z]{1,2}\[[A-Za-z0-9]+\])\^?([+-]?[1-9])?")
_OPERATOR = re.compile(r"\s*([./*·])\s*|\s+")
_SUPERSCRIPTS = str.maketrans("²³", "23")
# Spellings of UCUM and of people that pint does not know, or takes for another unit.
_IN_PINT = {
    "a": "year",
    "years": "year",
    "mo": "month",
    "wk": "week",
    "%": "percent",
    "°": "degree",
    "deg": "degree",
    "cc": "cm**3",
    "um": "micrometer",
    "mAs": "milliampere * second",
    "Ohm": "ohm",
    "dpt": "1 / meter",
    "diopter": "1 / meter",
    "[diop]": "1 / meter",
    "[ft_i]": "foot",
    "[in_i]": "inch",
    "[ppm]": "ppm",
    "[hnsf'U]": "hounsfield_unit",
    "mm[Hg]": "millimeter_Hg",
    "cm[H2O]": "centimeter_H2O",
}


def parse_unit(text: str) -> Unit:
    """Return the factors of a unit.

    Raises:
        ValueError: The text is not a unit that pint knows, or is an offset unit such as degC.

    >>> parse_unit("g/cm3")
    (('g', 1), ('cm', -3))
    """
    factors = _factors(re.sub(r"\{[^{}]*\}", "", text).strip())  # annotations of UCUM, such as {ratio}, have no effect
    for name, _ in factors:
        _check(name)
    return factors


def spelled(unit: Unit) -> str:
    """Return the text of a unit, as messages show it."""
    return " ".join(name + (f"^{power}" if power != 1 else "") for name, power in unit) or "a plain number"


def product(left: Unit, right: Unit, *, sign: int = 1) -> Unit:
    """Return the unit of a product or, with `sign` −1, of a quotient."""
    powers: dict[str, int] = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) + sign * power
    return tuple((name, power) for name, power in powers.items() if power)


def factor(source: Unit, target: Unit) -> float:
    """Return the factor that converts a number from one unit to another.

    Raises:
        ValueError: The units measure different quantities.

    >>> factor(parse_unit("cm"), parse_unit("mm"))
    10.0
    """
    if source == target:
        return 1.0
    import pint

    try:
        quantity = _registry().Quantity(Decimal(1), _in_pint(source))
        return float(quantity.to(_in_pint(target)).magnitude)
    except pint.DimensionalityError:
        raise ValueError(f"{spelled(source)} cannot be converted to {spelled(target)}") from None


def known_unit(text: str) -> str:
    """Return the text of a unit without the spaces around it, after checking that it is one.

    Raises:
        ValueError: The text is not a unit that pint knows, or is an offset unit.
    """
    parse_unit(text)
    return text.strip()


def pint_unit(text: str) -> pint.Unit:
    """Return pint's object for a unit.

    Raises:
        ValueError: The text is not a unit that pint knows, or is an offset unit.
    """
    return _in_pint(parse_unit(text))


def _in_pint(unit: Unit) -> pint.Unit:
    parts = " * ".join(f"({_IN_PINT.get(name, name)}) ** {power}" for name, power in unit)
    return _registry().parse_units(parts or "dimensionless")


def _factors(text: str) -> Unit:
    if text in {"", "1"}:
        return NO_UNIT
    if len(text) > _LONGEST:
        raise ValueError("expected a unit such as mm")
    unit: Unit = NO_UNIT
    first, *rest = _OPERATOR.split(text.translate(_SUPERSCRIPTS).replace("**", "^"))
    # The first part of `/min` is empty: 1 / minute.
    parts = [("*", first or "1"), *zip(rest[::2], rest[1::2], strict=True)]
    for position, (operator, part) in enumerate(parts):
        match = _FACTOR.fullmatch(part)
        if match is None and not (part == "1" and position == 0):
            raise ValueError("expected a unit such as mm or g/cm3")
        if match is not None:
            unit = product(unit, ((match[1], int(match[2] or 1)),), sign=-1 if operator == "/" else 1)
    return unit


# Units that need no look at pint, which takes longer to load than a query on a million images; a test asks it of each.
COMMON = frozenset(
    (
        "um", "mm", "cm", "m", "ml", "mL", "l", "L", "mg", "g", "kg", "ms", "s", "min", "h", "d", "wk", "mo", "a",
        "day", "days", "month", "months", "year", "years", "T", "Hz", "kV", "mA", "mAs", "HU", "deg", "degree", "%",
    )
)  # fmt: skip


@cache
def _check(name: str) -> None:
    if name in COMMON:
        return
    import pint

    registry = _registry()
    try:
        unit = registry.parse_units(_IN_PINT.get(name, name))
        one, two = (registry.Quantity(Decimal(number), unit).to_base_units().magnitude for number in (1, 2))
    except (pint.PintError, ValueError, TypeError, AttributeError, AssertionError, SyntaxError):
        raise ValueError(f"'{name}' is not a known unit") from None
    if two != 2 * one:
        raise ValueError(f"'{name}' is an offset unit, which no factor can convert")


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    # Decimals, because in floats a cubic centimetre is not exactly one millilitre.
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Decimal)
    # CT numbers are a quantity of their own: UCUM converts them to no other unit.
    registry.define("hounsfield_unit = [radiodensity] = HU")
    return registry
