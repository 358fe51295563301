"""The language of cohort specs in pandas, written from its documentation alone.

Nothing here calls the package: a copy would share its faults. A condition is a nullable Boolean for every image, and
Kleene's logic is that of pandas. `parts` adds scope and `unknown`, which it reads from the spec as plain YAML.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

OLDEST = 120
A_YEAR = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}
MAD_TO_DEVIATION = 0.6745  # Iglewicz and Hoaglin (1993)

Frame = pd.DataFrame
Mask = pd.Series


def mapped(values: pd.Series, change: Callable[[str], Any]) -> pd.Series:
    """Apply a function to every distinct text once; not by `Series.unique`, which ends texts at a NUL."""
    changed = {text: change(text) for text in set(values.dropna())}
    return pd.Series([None if pd.isna(text) else changed[text] for text in values], index=values.index, dtype=object)


# Words of tables for a missing value.
MISSING = {
    "",
    "nan",
    "-nan",
    "nat",
    "null",
    "none",
    "n/a",
    "na",
    "n.a.",
    "#n/a",
    "#na",
    "#n/a n/a",
    "<na>",
    "(null)",
    r"\n",
}


def tidy(text: str) -> str | None:
    bare = text.strip(" \t\r\n\0")
    return None if bare.lower() in MISSING else bare


def age_of(text: str) -> float | None:
    """Return an age in years, as `012Y` or `018M` spells it."""
    found = re.fullmatch(r"(\d{1,3})([DWMY])", text)
    return int(found[1]) / A_YEAR[found[2]] if found else None


def plausible_age(recorded: pd.Series, years: pd.Series) -> pd.Series:
    """Return ages in years, unknown for `000Y` and from 120 years on."""
    doubtful = (recorded.str.fullmatch(r"0{1,3}Y") | (years >= OLDEST)).fillna(value=False)
    return years.mask(doubtful.astype(bool))


def plausible_day(days: pd.Series, today: pd.Timestamp) -> pd.Series:
    """Return days, unknown up to 1900-01-01 and after today."""
    return days.where((days > "1900-01-01") & (days <= today))


# The operators.


def folded(text: str) -> str:
    """Return a text with runs of white space as one space, none at the ends, and every dash as `-`."""
    dashes = "".join("-" if unicodedata.category(sign) == "Pd" or sign == "−" else sign for sign in text)
    return " ".join(dashes.split())


def letters(text: str) -> str:
    """Return the letters and digits of a text alone, in lower case."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def is_one_of(values: pd.Series, *choices: str) -> Mask:
    known = {folded(choice) for choice in choices}
    return mapped(values, lambda text: folded(text) in known).astype("boolean")


def is_exactly(values: pd.Series, *choices: str) -> Mask:
    return mapped(values, lambda text: text in choices).astype("boolean")


def ignoring_case(values: pd.Series, *choices: str) -> Mask:
    known = {folded(choice).casefold() for choice in choices}
    return mapped(values, lambda text: folded(text).casefold() in known).astype("boolean")


def like(values: pd.Series, wanted: str) -> Mask:
    return mapped(values, lambda text: letters(text) == letters(wanted)).astype("boolean")


def contains(values: pd.Series, part: str) -> Mask:
    return mapped(values, lambda text: folded(part) in folded(text)).astype("boolean")


def matches(values: pd.Series, pattern: str, flags: int = 0) -> Mask:
    return mapped(values, lambda text: bool(re.search(pattern, text, flags))).astype("boolean")


def numbered(values: pd.Series, pattern: str, low: int, high: int) -> Mask:
    """Return whether the number in texts of one pattern lies between two; unknown for another pattern."""

    def between(text: str) -> bool | None:
        found = re.fullmatch(pattern, text)
        return low <= int(found[1]) <= high if found else None

    return mapped(values, between).astype("boolean")


def known(mask: pd.Series, *operands: pd.Series) -> Mask:
    """Return a comparison, unknown where an operand is missing."""
    missing = np.logical_or.reduce([operand.isna().to_numpy() for operand in operands])
    return mask.astype("boolean").mask(pd.Series(missing, index=mask.index))


def days_apart(first: pd.Series, second: pd.Series | pd.Timestamp) -> pd.Series:
    return (first - second).dt.days.abs()


def mad_z(values: pd.Series, groups: pd.Series | None = None) -> pd.Series:
    """Return robust distances from the median, within groups; missing where all values of one are equal."""
    keys = pd.Series(0, index=values.index) if groups is None else groups
    distance = values - values.groupby(keys).transform("median")
    spread = distance.abs().groupby(keys).transform("median")
    return MAD_TO_DEVIATION * distance / spread.where(spread > 0)


def zscore(values: pd.Series, groups: pd.Series | None = None) -> pd.Series:
    """Return distances from the mean in standard deviations of the population."""
    keys = pd.Series(0, index=values.index) if groups is None else groups
    grouped = values.astype("float64").groupby(keys)
    deviation = grouped.transform("std", ddof=0)
    return (values.astype("float64") - grouped.transform("mean")) / deviation.where(deviation > 0)


def percentile_rank(values: pd.Series, groups: pd.Series | None = None) -> pd.Series:
    """Return the percentage of values that are at most this one."""
    keys = pd.Series(0, index=values.index) if groups is None else groups
    return values.astype("float64").groupby(keys).rank(method="max", pct=True) * 100


# From conditions to parts.


def parts(
    spec: Path, images: Frame, answer: Mask, *, image: str, units: Mapping[str, str], inside: Mask | None = None
) -> dict[str, set[str]]:
    """Return the images of each part; with a sample, `forget` holds all that it is drawn from.

    Args:
        spec: The spec, of which `scope` and `unknown` are read.
        images: The images.
        answer: Whether the rule holds, for each image.
        image: The column that names an image.
        units: The column of each scope.
        inside: Whether an image is in the population; without it, every one is.
    """
    keys = yaml.safe_load(spec.read_text(encoding="utf-8"))
    if inside is not None:
        if inside.isna().any():
            raise ValueError(f"{spec.name}: expected a population that is known for every image")
        images = images[inside.astype(bool)]
    answer = answer[images.index].astype("boolean")
    true, unknown = answer.fillna(value=False).astype(bool), answer.isna()
    if keys["unknown"] == "forget":
        true, unknown = true | unknown, unknown & False
    nobody = unknown & False
    if keys.get("scope", "image") != "image":
        # What is forgotten takes its unit along; otherwise what is unknown makes its unit unknown, and so it is of
        # what names no unit.
        of = images[units[keys["scope"]]]
        nobody = of.isna() & ~true
        true = true | (of.isin(set(of[true].dropna())))
        unknown = (unknown | of.isin(set(of[unknown & ~true].dropna())) | nobody) & ~true
    if keys["unknown"] == "remain":
        unknown = nobody
    found = {"forget": true, "remain": ~true & ~unknown, "undetermined": unknown}
    return {part: set(images.loc[mask, image]) for part, mask in found.items()}
