"""An endpoint: one measure on the images of one subset, with the margin declared for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.vocabulary.parts import JUDGED_PARTS, SPLITS, is_earlier

if TYPE_CHECKING:
    from collections.abc import Sequence

Sides = Literal["both", "lower", "upper"]
"""Which side of the margin counts: both, only a value that is too low, or only one that is too high."""

ALL = "all"
SUBSETS = tuple(f"{part}_{split}" for part in JUDGED_PARTS for split in SPLITS)

MEASURES = ("mean_probability", "sensitivity", "macro_sensitivity", "false_negatives")
"""Of the images of a true class, averaged within a patient, then over patients:

- `mean_probability`: the mean probability given to each class, a soft row of the confusion matrix;
- `sensitivity`: the share classified correctly;
- `macro_sensitivity`: the mean of the sensitivities of all classes;
- `false_negatives`: of a class that is not healthy, the share classified as a healthy one.
"""

MIN_PATIENTS = 30
FORGET_MARGIN, REMAIN_MARGIN, FALSE_NEGATIVES_MARGIN = 0.10, 0.05, 0.05


def part_of(subset: str) -> str:
    """Return the part of a subset: `forget` of `forget_train`."""
    return subset.partition("_")[0]


def split_of(subset: str) -> str:
    """Return the split of a subset: `train` of `forget_train`."""
    return subset.partition("_")[2]


def is_about_earlier(subset: str) -> bool:
    """Return whether a subset holds what an earlier revision forgot: `earlier:0.2.0_train`."""
    return is_earlier(part_of(subset)) and split_of(subset) in SPLITS


def words(subset: str) -> str:
    """Return a subset in words: `forget train` of `forget_train`."""
    return subset.replace("_", " ")


def default_margin(subset: str, measure: str) -> float:
    """Return the margin of an endpoint that declares none, as a share."""
    if measure == "false_negatives":
        return FALSE_NEGATIVES_MARGIN
    return REMAIN_MARGIN if part_of(subset) == "remain" else FORGET_MARGIN


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One measure on the images of one subset.

    Args:
        subset: One of `SUBSETS`, such as `forget_train`, or what an earlier revision forgot, `earlier:0.2.0_train`.
        label: A class, or `all` for each class in turn. In configs the key is `class`.
        measure: One of `MEASURES`.
        margin: The largest difference that counts as none, as a share, above 0 and below 1.
        min_patients: A class with fewer patients in the subset supports no `equivalent`.

    Raises:
        ConfigError: A value is not one of those above.

    >>> Endpoint(subset="remain_test", measure="macro_sensitivity").margin
    0.05
    """

    subset: str
    label: str = ALL
    measure: str = "mean_probability"
    margin: float = 0.0
    min_patients: int = MIN_PATIENTS

    def __post_init__(self) -> None:
        if not is_about_earlier(self.subset):
            check_choice(self.subset, SUBSETS, name="decision: subset")
        check_choice(self.measure, MEASURES, name="decision: measure")
        if self.margin == 0.0 and not isinstance(self.margin, bool):
            object.__setattr__(self, "margin", default_margin(self.subset, self.measure))
        if isinstance(self.margin, bool) or not isinstance(self.margin, (int, float)) or not 0 < self.margin < 1:
            raise ConfigError(
                f"decision: expected a margin above 0 and below 1 (a share: 0.05 is five points) for {self.name}, "
                f"got {self.margin!r}."
            )
        check_min_patients(self.min_patients)
        if self.measure == "macro_sensitivity" and self.label != ALL:
            raise ConfigError(f"decision: {self.name} is the mean over all classes: expected class: all.")

    @property
    def name(self) -> str:
        """The endpoint in words, for messages."""
        return f"{self.measure} on {words(self.subset)}"

    @property
    def sides(self) -> Sides:
        """Which side of the margin counts.

        More false negatives than retraining harm patients, fewer do not: non-inferiority. On remain images, a
        sensitivity above that of retraining does no harm either; on others it is what should be gone.
        """
        if self.measure == "mean_probability" or (self.measure != "false_negatives" and self.part != "remain"):
            return "both"
        return "upper" if self.measure == "false_negatives" else "lower"

    @property
    def part(self) -> str:
        """The part of the subset: `forget`, `remain` or `earlier:VERSION`."""
        return part_of(self.subset)

    @property
    def is_wider(self) -> bool:
        """Whether the margin is wider than the default."""
        return self.margin > default_margin(self.subset, self.measure)

    def classes(self, expected: Sequence[str]) -> tuple[str, ...]:
        """Return the classes that it is about, of those expected in its subset."""
        return tuple(expected) if self.label == ALL else (self.label,)


def check_min_patients(value: object) -> None:
    """Refuse a number of patients below 2, which have no spread.

    Raises:
        ConfigError: It is not an integer from 2.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 2:  # noqa: PLR2004 - a spread needs two
        raise ConfigError(f"decision: expected min_patients as a whole number from 2, got {value!r}.")
