"""Several labels of an image as one class: the set of the labels that it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from monai_unlearn.errors import ConfigError, DataError, check_choice
from monai_unlearn.vocabulary.label_words import absent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.index import Index

MOST_LABELS = 14
"""Of K labels there are 2 to the power of K sets, and as many logits where a network is presented as a classifier."""
_KEYS = ("column", "none", "separator")
_TRUE, _FALSE = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "false", "no"})
LabelKey = str | list[str] | tuple[str, ...] | Mapping[str, str]


def set_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all sets of labels, in the order of their numbers: bit k of a number is label k.

    Raises:
        ConfigError: There are too many labels, one twice, or one that is called as something else: as a set of labels,
            or as the state that another label is not there. Numbers are found by names, so images would silently be
            taken for others.

    >>> set_names(["edema", "mass"])
    ('none', 'edema', 'mass', 'edema + mass')
    """
    if len(labels) > MOST_LABELS or len(set(labels)) < len(labels):
        raise ConfigError(
            f"class_names: expected at most {MOST_LABELS} labels, each once, got {len(labels)}. Of several labels, "
            "each set is a class to methods: revise the network for some of its labels at a time."
        )
    names = tuple(_set_name(number, labels) for number in range(2 ** len(labels)))
    counts = Counter([*names, *map(absent, labels)])
    if doubled := sorted(name for name, count in counts.items() if count > 1):
        raise ConfigError(
            f"class_names: '{doubled[0]}' would mean two things: a label, and that an image has no label, several of "
            "them, or not a certain one. Leave out a name that says that labels are not there, and rename the others."
        )
    return names


def _set_name(number: int, labels: Sequence[str]) -> str:
    return " + ".join(name for bit, name in enumerate(labels) if number >> bit & 1) or "none"


def label_sets(index: Index, labels: Sequence[str], key: LabelKey, images: pd.Series[Any]) -> pd.Series[int]:
    """Return the number of the set of labels of each image.

    Args:
        index: The index.
        labels: The labels, in the order of the network's outputs.
        key: The columns that say, by 0 and 1, whether an image has each label, in the same order; or one column with
            the names of its labels, as `{column: …, none: …, separator: …}`: the word for an image without any (by
            default `none`) and what stands between two names (by default `|`), or as the column's name alone.
        images: The `image_id` of each image.

    Raises:
        ConfigError: The key is none of these.
        DataError: A column is missing, or holds another value for some images.
    """
    columns = _columns(key, labels)
    for name in columns:
        check_choice(name, list(index.columns), name="label_key", error=DataError)
    rows = index.frame(["image_id", *dict.fromkeys(columns)]).set_index("image_id").loc[images]
    if isinstance(key, (str, Mapping)):
        return _from_names(rows[columns[0]], labels, {} if isinstance(key, str) else key)
    return _from_columns(rows, columns)


def _columns(key: LabelKey, labels: Sequence[str]) -> list[str]:
    if isinstance(key, str):
        return [key]
    if isinstance(key, Mapping):
        for name in key:
            check_choice(name, _KEYS, name="label_key")
        if "column" in key:
            return [str(key["column"])]
    elif len(key) == len(labels):
        return [str(name) for name in key]
    raise ConfigError(
        f"label_key: expected a column of 0 and 1 for each of the labels {', '.join(labels)}, or one column with their "
        "names as {column: …, none: …, separator: …}."
    )


def _from_columns(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series[int]:
    found = pd.Series(0, index=rows.index)
    for bit, name in enumerate(columns):
        words = rows[name].astype(str).str.strip().str.lower()
        if others := int((~words.isin(_TRUE | _FALSE)).sum()):
            raise DataError(
                f"the column '{name}' is neither 0 nor 1 for {others} of {len(rows)} images, such as where nothing is "
                "known of the label. Leave these images out by the spec (population: …), or fix the table."
            )
        found += words.isin(_TRUE).astype(int) * 2**bit
    return found


def _from_names(values: pd.Series[Any], labels: Sequence[str], key: Mapping[str, str]) -> pd.Series[int]:
    none, separator = key.get("none", "none"), key.get("separator", "|")
    if none in labels:
        raise ConfigError(f"label_key: the word for an image without any label, '{none}', is one of the labels.")
    numbers = {none: 0, **{name: 2**bit for bit, name in enumerate(labels)}}
    split = (
        values.astype(object)
        .where(values.notna(), "")
        .map(lambda text: [one.strip() for one in str(text).split(separator)])
    )
    unknown = split.map(lambda names: any(name not in numbers for name in names) or (none in names and len(names) > 1))
    if others := int(unknown.sum()):
        raise DataError(
            f"the column '{values.name}' is empty or names something else than the labels for {others} of "
            f"{len(values)} images; the labels are {', '.join(labels)}, the word for none of them is '{none}', and "
            f"'{separator}' stands between two. Leave the others out by the spec (population: …), or fix label_key "
            "or the table."
        )
    return split.map(lambda names: sum({numbers[name] for name in names}))
