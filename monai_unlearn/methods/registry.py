"""The registered methods, each with a frozen record that cards and documents list."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from monai_unlearn.methods.base import Method

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

M = TypeVar("M", bound=type[Method])
Need = Literal["forget", "remain", "validation", "snapshots", "parents"]
NEEDS = get_args(Need)
# What a cohort is, beside the images that remain: all of a class; some images of a class; all images of a device, site
# or period, of several classes; all images of some patients; images with a wrong label.
Suit = Literal["class", "part_of_class", "device", "patients", "labels"]
SUITS = get_args(Suit)


@dataclass(frozen=True, kw_only=True)
class MethodInfo:
    """The record of a method.

    Args:
        name: Its name in configs and cards.
        paper: Its source.
        equations: The equations or algorithms that the code follows.
        needs: What it uses beside the weights: `forget` and `remain` images, `validation` images, `snapshots` of
            training, `parents`, which are two revised networks to compose.
        suits: The kinds of cohorts that it was made for, of `SUITS`; empty for a control, which is made for none.
        batch_norm: How BatchNorm runs, in words.
        cost: What a run costs, in words.
        boundary_targets: Whether it teaches forget images another class than their own: one across a decision boundary
            near them, or any. With two classes that is always the wrong one.
        multilabel: Whether it takes images with several labels, whose class is the set of their labels.
        search_space: What a rehearsal tries: the values of each setting, by its id in `configs/unlearn.yaml`, the one
            to start from first. A setting with one value is set to it.
    """

    name: str
    paper: str
    equations: str
    needs: tuple[Need, ...]
    suits: tuple[Suit, ...]
    batch_norm: str
    cost: str
    boundary_targets: bool = False
    multilabel: bool = True
    search_space: Mapping[str, tuple[str | int | float | bool, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := ({*self.needs} - {*NEEDS}) | ({*self.suits} - {*SUITS}):
            raise ValueError(
                f"{self.name}: expected needs among {', '.join(NEEDS)} and suits among {', '.join(SUITS)}, got "
                f"{', '.join(sorted(unknown))}"
            )

    @property
    def composes(self) -> bool:
        """Whether it puts revised networks together, and so is no method to forget a cohort by."""
        return "parents" in self.needs

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain values."""
        plain = {**asdict(self), "needs": list(self.needs), "suits": list(self.suits)}
        return {**plain, "search_space": {name: list(values) for name, values in self.search_space.items()}}


_METHODS: dict[str, tuple[MethodInfo, type[Method]]] = {}


def register(info: MethodInfo) -> Callable[[M], M]:
    """Register a method class under its record.

    Raises:
        ValueError: A method of that name is already registered.
    """

    def decorate(method: M) -> M:
        if info.name in _METHODS:
            raise ValueError(f"a method named '{info.name}' is already registered")
        _METHODS[info.name] = (info, method)
        return method

    return decorate


def registered() -> Mapping[str, tuple[MethodInfo, type[Method]]]:
    """Return every method by name."""
    return MappingProxyType(_METHODS)


def info_of(method: Method) -> MethodInfo:
    """Return the record of a method; an unregistered one is described by the name of its class.

    An unregistered method is a user's own, and its card must still name it.
    """
    for info, kind in _METHODS.values():
        if type(method) is kind:
            return info
    return MethodInfo(
        name=type(method).__name__,
        paper="not stated",
        equations="not stated",
        needs=("forget", "remain"),
        suits=(),
        batch_norm="not stated",
        cost="not stated",
    )
