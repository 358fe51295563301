"""The target that a predictor stands for, as a verdict without retrained networks is held against it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monai_unlearn.errors import ConfigError

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
    def from_dict(cls, content: object, *, source: str = "metrics.json") -> PredictedTarget:
        """Return what `to_dict` wrote.

        Args:
            content: Plain values.
            source: Where they are from, for messages.

        Raises:
            ConfigError: They are not those of a target; the message names the first fault and its place.
        """
        try:
            found = _Document.model_validate_json(json.dumps(content))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place, said = ".".join(str(step) for step in first["loc"]), str(first["msg"])
            raise _not_a_target(source, f"'{place}': {said[0].lower()}{said[1:]}") from None
        errors = {(one.subset, one.label): one.error for one in found.errors}
        if len(errors) < len(found.errors):
            raise _not_a_target(source, "there must be one of 'errors' for each subset and class")
        return cls(
            name=found.name,
            kind=found.kind,
            proxies=found.proxies,
            counterparts=found.counterparts,
            margin=found.margin,
            cohorts=found.cohorts,
            errors=errors,
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


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class _Error(_Strict):
    subset: str
    label: Annotated[str, Field(alias="class")]
    error: Annotated[float, Field(ge=0, le=1)]


class _Document(_Strict):
    name: str
    kind: Kind
    proxies: Annotated[int, Field(ge=0)]
    counterparts: tuple[str, ...]
    margin: Annotated[float, Field(gt=0, lt=0.5)] | None
    cohorts: Annotated[int, Field(ge=0)]
    errors: tuple[_Error, ...]


def _not_a_target(source: str, fault: str) -> ConfigError:
    return ConfigError(
        f"{source}: expected a predicted target as a run writes it; {fault}. Give the output folder of an unlearning "
        "run as it was written."
    )
