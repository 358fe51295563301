"""What kind of cohort a run forgets, and whether its method was made for it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from monai_unlearn.cohort.spec.document import Reason
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.registry import registered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.data import CohortData
    from monai_unlearn.methods.registry import MethodInfo, Suit

TWO = 2
_WORDS: Mapping[str, str] = {
    "class": "all images of a class, and no others",
    "part_of_class": "some of the images of one class",
    "device": "images of a device, site or period, of several classes",
    "patients": "images of patients who withdrew",
    "labels": "images with a wrong label",
}


def cohort_kind(reason: Reason, *, forget: Mapping[int, int], others: Mapping[int, int]) -> Suit:
    """Return what kind of cohort is forgotten, in the words of `MethodInfo.suits`.

    A withdrawn consent and a wrong label say what is wanted, whichever classes they are of. Otherwise, classes that
    are forgotten whole are a class cohort, even if the reason is a device that nothing else came from.

    Args:
        reason: Why the cohort is forgotten.
        forget: Training images to forget by class; classes without any may be left out.
        others: The other training images by class, likewise.

    >>> cohort_kind(Reason.OTHER, forget={2: 40}, others={0: 50, 1: 60})
    'class'
    >>> cohort_kind(Reason.OTHER, forget={2: 40}, others={0: 50, 2: 60})
    'part_of_class'
    """
    if reason is Reason.CONSENT_WITHDRAWAL:
        return "patients"
    if reason is Reason.LABEL_ERROR:
        return "labels"
    classes = {label for label, count in forget.items() if count}
    if classes and not any(others.get(label) for label in classes):
        return "class"
    if reason is Reason.DEVICE_DEPRECATION or len(classes) > 1:
        return "device"
    return "part_of_class"


def kind_of(data: CohortData) -> Suit:
    """Return the kind of a cohort, judged by its training images.

    Raises:
        ConfigError: There is no cohort.
    """
    if data.cohort is None:
        raise ConfigError("cohort_spec is not set. Give it on the command line: --cohort_spec FILE")
    trained = data.frame[data.frame["split"] == "train"]
    is_forgotten = trained["part"] == "forget"
    forget, others = (Counter(map(int, trained.loc[rows, "class_index"])) for rows in (is_forgotten, ~is_forgotten))
    return cohort_kind(data.cohort.spec.reason, forget=forget, others=others)


def suit_warnings(info: MethodInfo, kind: Suit) -> list[str]:
    """Return a warning if a registered method was not made for a kind of cohort."""
    if info.name not in registered() or kind in info.suits:
        return []
    made = "; ".join(_WORDS[suit] for suit in info.suits)
    made_for = f"it was made for {made}" if made else "it is a control, made for no kind of cohort"
    return [f"The method {info.name} is not known to suit this cohort ({_WORDS[kind]}): {made_for}."]


def check_boundary_targets(info: MethodInfo, *, classes: int, force: bool) -> None:
    """Refuse, unless forced, to label forget images by the other side of a decision boundary if there are two classes.

    Raises:
        ConfigError: The method does so, and there are two classes.
    """
    if not info.boundary_targets or classes != TWO or force:
        return
    raise ConfigError(
        f"method: {info.name} labels forget images by the other side of a decision boundary. With two classes that is "
        "always the wrong class: on two-class X-rays of a camera, sensitivity fell from 96 % to 7 %, where networks "
        "retrained without the camera reach 100 %. Use a method that needs no such labels, such as --method reset, "
        "or run it nevertheless: --force true"
    )
