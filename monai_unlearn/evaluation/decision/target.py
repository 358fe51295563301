"""The target that a predictor stands for, as a verdict without retrained networks is held against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["never_trained", "rows"]
"""Whether the losses of forget training images must rank as those of never-trained ones, or mean probabilities must be
those that proxies predict."""

MIN_PROXIES = 3
"""Fewer proxies say too little of how far they lie apart, as with retrained networks."""

AUC_MARGIN = 0.10
"""How far an AUC may lie from 0.5 by default; a wider margin stands in the line of the verdict."""


@dataclass(frozen=True, kw_only=True)
class PredictedTarget:
    """What a predictor says, and how well it is known to say it.

    Attributes:
        name: The predictor's registered name.
        kind: What a run is held against.
        proxies: How many proxies make a prediction; 1 for one fixed network, such as the original with its odds moved.
        counterparts: The parts whose never-trained images stand for the forget training images; empty where proxies
            predict those images themselves.
        margin: Of `never_trained`: how far an AUC may lie from 0.5.
        cohorts: On how many rehearsal cohorts its errors were measured.
        errors: Its measured error by subset and true class, as a share; empty where it was not measured.

    Raises:
        ValueError: An error is no share in [0, 1]: a negative one would narrow intervals.

    >>> target = PredictedTarget(name="shifted_odds", kind="rows", counterparts=("forget", "remain"))
    >>> PredictedTarget.from_dict(target.to_dict()) == target
    True
    """

    name: str
    kind: Kind
    proxies: int = 1
    counterparts: tuple[str, ...] = ()
    margin: float | None = None
    cohorts: int = 0
    errors: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(0 <= error <= 1 for error in self.errors.values()):
            raise ValueError("expected each error of a predictor to be a share in [0, 1]")
        object.__setattr__(self, "errors", MappingProxyType(dict(self.errors)))

    def to_dict(self) -> dict[str, Any]:
        """Return it as `metrics.json` holds it, so that the verdict can be computed again."""
        return {
            "name": self.name,
            "kind": self.kind,
            "proxies": self.proxies,
            "counterparts": list(self.counterparts),
            "margin": self.margin,
            "cohorts": self.cohorts,
            "errors": [
                {"subset": subset, "class": label, "error": error}
                for (subset, label), error in sorted(self.errors.items())
            ],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> PredictedTarget:
        """Return what `to_dict` wrote.

        Raises:
            KeyError: A key is missing.
        """
        return cls(
            name=content["name"],
            kind=content["kind"],
            proxies=content["proxies"],
            counterparts=tuple(content["counterparts"]),
            margin=content["margin"],
            cohorts=content["cohorts"],
            errors={(one["subset"], one["class"]): one["error"] for one in content["errors"]},
        )

    @property
    def line(self) -> str:
        """What a verdict that rests on it must say of it, as a sentence."""
        if self.kind == "never_trained":
            wider = f" The AUC may lie {self.margin:g} from 0.5, not {AUC_MARGIN:g}." if self._is_lenient else ""
            return f"Predicted by {self.name}: the same test detects the original.{wider}"
        of = f"{self.proxies} proxies" if self.proxies > 1 else "the original with its odds moved"
        largest = max(self.errors.values(), default=1.0)
        return (
            f"Predicted by {self.name} ({of}); its error on {self.cohorts} rehearsal cohorts was up to "
            f"{100 * largest:.1f} points."
        )

    @property
    def _is_lenient(self) -> bool:
        return self.margin is not None and self.margin > AUC_MARGIN
