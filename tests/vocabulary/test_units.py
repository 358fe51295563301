from __future__ import annotations

import subprocess
import sys

import pytest

from monai_unlearn.vocabulary import units
from monai_unlearn.vocabulary.units import COMMON, NO_UNIT, factor, known_unit, parse_unit, pint_unit, product, spelled


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("mm2", "millimeter ** 2"),
        ("mm^2", "millimeter ** 2"),
        ("mm²", "millimeter ** 2"),
        ("cm3", "milliliter"),
        ("cc", "milliliter"),
        (" ml ", "milliliter"),
        ("deg", "degree"),
        ("%", "percent"),
        ("um", "micrometer"),
        ("a", "year"),
        ("mo", "month"),
        ("/min", "1 / minute"),
        ("1/cm", "1 / centimeter"),
        ("mm-1", "1 / millimeter"),
        ("dpt", "1 / meter"),
        ("mA.s", "milliampere * second"),
        ("mm2/s", "millimeter ** 2 / second"),
        ("g/ml{SUVbw}", "gram / milliliter"),
        ("mm[Hg]", "mmHg"),
        ("[hnsf'U]", "hounsfield_unit"),
        ("HU", "hounsfield_unit"),
    ],
)
def test_spellings_of_ucum_and_of_people_are_units_of_pint(text, same):
    unit = pint_unit(text)
    assert 1 * unit == 1 * type(unit)(same)
    assert known_unit(text) == text.strip()


@pytest.mark.parametrize("text", sorted(COMMON))
def test_pint_has_the_units_that_are_known_without_it(text, monkeypatch):
    monkeypatch.setattr(units, "COMMON", frozenset())
    monkeypatch.setattr(units, "_check", units._check.__wrapped__)
    assert parse_unit(text) == ((text, 1),)  # as pint says
    with pytest.raises(ValueError, match="is not a known unit"):
        parse_unit("mmm")


@pytest.mark.parametrize("text", ["", "1", " 1 ", "{ratio}"])
def test_a_plain_number_has_no_unit(text):
    assert parse_unit(text) == NO_UNIT


@pytest.mark.parametrize(
    "text",
    ["degC", "Cel", "dB", "mmm", "2 mm", "mm99", "mm^9999", "(mm)", "mm+mm", "/", "mm/", "10**9", "nm..m", "mm\x00"],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"expected a unit such as mm|is not a known unit|is an offset unit"):
        known_unit(text)


@pytest.mark.parametrize(
    ("source", "target", "times"),
    [("cm", "mm", 10), ("cm3", "ml", 1), ("um2", "mm2", 1e-6), ("in", "mm", 25.4), ("%", "1", 0.01), ("a", "mo", 12)],
)
def test_a_factor_is_exact(source, target, times):
    assert factor(parse_unit(source), parse_unit(target)) == times


@pytest.mark.parametrize(("source", "target"), [("mm", "ml"), ("HU", "1"), ("mm", "1")])
def test_another_quantity_is_refused(source, target):
    with pytest.raises(ValueError, match="cannot be converted to"):
        factor(parse_unit(source), parse_unit(target))


@pytest.mark.parametrize("text", ["x" * 1000, "mm" * 10_000, "__import__('os')", "mm ** 9 ** 9 ** 9 ** 9"])
def test_hostile_text_is_refused(text):
    with pytest.raises(ValueError, match="expected a unit such as mm"):
        parse_unit(text)


def test_a_product_adds_powers_and_drops_those_of_zero():
    area = product(parse_unit("mm"), parse_unit("mm"))
    assert spelled(area) == "mm^2"
    assert spelled(product(area, area, sign=-1)) == "a plain number"


def test_common_units_do_not_load_pint():
    code = (
        "import sys; from monai_unlearn.vocabulary.units import factor, parse_unit; parse_unit('g/ml'); "
        "factor(parse_unit('mm'), parse_unit('mm')); print('pint' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
