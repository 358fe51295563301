"""Which method revises a network where nobody names one: chosen by the kind of the cohort, from one frozen table."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from monai_unlearn.cohort.spec.document import Reason
from monai_unlearn.methods.cohort_kind import kind_of
from monai_unlearn.methods.registry import registered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.cohort import Cohort
    from monai_unlearn.data import CohortData
    from monai_unlearn.methods.base import Method
    from monai_unlearn.methods.registry import Suit

PAGE = "docs/methods/README.md"
"""Where a reader finds how the default is chosen."""


@dataclass(frozen=True, kw_only=True)
class Default:
    """The default for a kind of cohort.

    Attributes:
        method: The registered name.
        settings: Arguments of its constructor; the others are at their defaults.
        words: The same in words.
        why: Why it, in the words of the table in `PAGE`.
        measured: Whether it was held against retrained networks on cohorts of its kind; `PAGE` has the figures.
    """

    method: str
    settings: Mapping[str, Any]
    words: str
    why: str
    measured: bool = True


_HALF = MappingProxyType({"kept": 0.5, "rate": 0.5})
_HALF_IN_WORDS = "shrink and perturb at half of training's rate, which keeps half of every weight"
_BY_BUDGET = MappingProxyType({"kept": 0.5, "rate": "auto"})
_BY_BUDGET_IN_WORDS = (
    "shrink and perturb, which keeps half of every weight, at half of training's rate with a budget of up to a tenth "
    "of retraining and at the whole from a fifth on"
)
DEFAULTS: Mapping[Suit, Default] = MappingProxyType(
    {
        "class": Default(
            method="shrink_perturb",
            settings=MappingProxyType({"kept": 0.8, "depth": "head"}),
            words="shrink and perturb with a fresh head, which keeps 80 % of every other weight",
            why="no image of the class remains, so that a fresh head, trained on what remains, has no way to name it, "
            "and the other layers give up some of what they learnt for it",
        ),
        "part_of_class": Default(
            method="shrink_perturb",
            settings=_HALF,
            words=_HALF_IN_WORDS,
            why="the rest of the class still teaches most of what the network knew of it, in every layer",
        ),
        "device": Default(
            method="shrink_perturb",
            settings=_BY_BUDGET,
            words=_BY_BUDGET_IN_WORDS,
            why="what is learnt from a device may lie in any layer, so that each gives up as large a share of it",
        ),
        "patients": Default(
            method="shrink_perturb",
            settings=_HALF,
            words=_HALF_IN_WORDS,
            why="what is remembered of single images may lie in any layer, and other patients teach the rest again",
        ),
        "labels": Default(
            method="shrink_perturb",
            settings=_HALF,
            words=_HALF_IN_WORDS,
            why="what a wrong label taught may lie in any layer, and images with a right one teach the rest again",
        ),
    }
)
"""The default for each kind of cohort."""
FALLBACK = Default(
    method="reset",
    settings=MappingProxyType({"depth": "last_block"}),
    words="reset of the last block",
    why="an image may have several labels, and no default was measured on such cohorts",
    measured=False,
)
"""What a cohort gets that is of no kind of the table: the classes of images with several labels are sets of them."""


def default_for(data: CohortData) -> Method:
    """Return the default method for a cohort, with the ground of the choice (`Method.ground`).

    It follows from the reason of the spec and the classes of the training images alone: no image is read, and the
    network is not looked at. `method: $methods.default_for(@data)` in a config.

    Args:
        data: The images of the run.

    Raises:
        ConfigError: There is no cohort.
    """
    kind = kind_of(data)
    default = FALLBACK if data.labels else DEFAULTS[kind]
    _, build = registered()[default.method]
    method = build(**default.settings)
    method.ground = ground_of(data, default, kind)
    return method


def ground_of(data: CohortData, default: Default, kind: Suit) -> str:
    """Return why a cohort gets a default, in a sentence with counts and no values.

    Args:
        data: The images of the run, which have a cohort.
        default: What it gets.
        kind: Its kind.
    """
    words = "" if data.cohort is None else _words(data.cohort, kind)
    told = f"{default.words}, because the cohort is {words}"
    if data.labels:
        told += ", and an image may have several labels"
    if not default.measured:
        told += " (not measured on such cohorts yet)"
    return f"{told}; see {PAGE}"


def _words(cohort: Cohort, kind: Suit) -> str:
    """Return what a cohort is, as the end of `the cohort is …`."""
    patients, reason = cohort.patients["forget"], cohort.spec.reason
    if kind == "patients":
        return f"{patients} patient{'s' * (patients != 1)} who withdrew consent" if patients else _WORDS[kind]
    if kind == "device" and reason is not Reason.DEVICE_DEPRECATION:
        return "images of several classes, as of a device"
    return _WORDS[kind]


_WORDS: Mapping[Suit, str] = {
    "class": "all images of its classes",
    "part_of_class": "some of the images of one class",
    "device": "the images of a device",
    "patients": "images of patients who withdrew consent",
    "labels": "images with a wrong label",
}
