"""The decision: what is judged, by which margins, declared before the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from monai_unlearn.errors import ConfigError, check_choice
from monai_unlearn.evaluation.decision.endpoint import (
    ALL,
    MIN_PATIENTS,
    Endpoint,
    check_min_patients,
    default_margin,
    words,
)

OBJECTIVES = ("match_reference", "erase")
KEYS = ("objective", "healthy_classes", "endpoints", "min_patients", "limit")
ENDPOINT_KEYS = ("subset", "class", "measure", "margin", "min_patients")

DEFAULTS = {
    "match_reference": (
        ("forget_train", "mean_probability"),
        ("forget_test", "mean_probability"),
        ("remain_test", "mean_probability"),
        ("remain_test", "macro_sensitivity"),
    ),
    "erase": (
        ("forget_train", "sensitivity"),
        ("forget_test", "sensitivity"),
        ("remain_test", "macro_sensitivity"),
    ),
}
"""Subset and measure of the endpoints that a config without `endpoints` declares, by objective."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a revised network is judged by.

    Args:
        class_names: The network's classes, in the order of its outputs.
        healthy_classes: The classes that mean no disease; an image of another class that is classified as one of them
            is a false negative. Empty if no class means that.
        objective: `match_reference` or `erase`.
        endpoints: What is judged; at least one is about each part.
        limit: Of `erase`: the largest share of forget images that may still be classified correctly; by default
            chance, one over the number of classes.
        base_healthy_classes: What the base bundle declares healthy, where that is about the same classes; if the
            decision declares others, the line of the verdict says so.

    Raises:
        ConfigError: A value does not fit; the message says which, what was expected and what is near.

    >>> decision = Decision.from_config({"healthy_classes": ["normal"]}, class_names=["normal", "glaucoma"])
    >>> [(one.subset, one.measure, one.margin) for one in decision.endpoints][:2]
    [('forget_train', 'mean_probability', 0.1), ('forget_test', 'mean_probability', 0.1)]
    """

    class_names: tuple[str, ...]
    healthy_classes: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    objective: Literal["match_reference", "erase"] = "match_reference"
    limit: float | None = None
    base_healthy_classes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_choice(self.objective, OBJECTIVES, name="decision: objective")
        for name in self.healthy_classes:
            check_choice(name, self.class_names, name="decision: healthy_classes")
        if set(self.healthy_classes) >= set(self.class_names):
            raise ConfigError("decision: expected a class that is not healthy, got every class in healthy_classes.")
        self._check_endpoints()
        self._check_limit()

    def _check_endpoints(self) -> None:
        for one in self.endpoints:
            check_choice(one.label, (ALL, *self.class_names), name=f"decision: class of {one.name}")
            if one.measure == "false_negatives" and one.label in self.healthy_classes:
                raise ConfigError(f"decision: {one.name}: expected a class that is not healthy, got '{one.label}'.")
            if self.objective == "erase" and one.part == "forget" and one.measure != "sensitivity":
                raise ConfigError(
                    f"decision: with objective erase the forget part is judged by sensitivity: {one.name}."
                )
            if self.objective == "erase" and one.measure == "mean_probability":
                raise ConfigError(f"decision: with objective erase remain is judged by sensitivities: {one.name}.")
        keys = [(one.subset, one.label, one.measure) for one in self.endpoints]
        if twice := {one for one in keys if keys.count(one) > 1}:
            raise ConfigError(f"decision: the endpoint {', '.join(min(twice))} is declared twice.")
        for part in ("forget", "remain"):
            if not any(one.part == part for one in self.endpoints):
                raise ConfigError(
                    f"decision: expected an endpoint on the {part} part, such as {{subset: {part}_test}}: forgetting "
                    "without keeping, or keeping without forgetting, is no result."
                )

    def _check_limit(self) -> None:
        if self.limit is None:
            return
        if self.objective != "erase":
            raise ConfigError("decision: limit belongs to objective erase; to match a reference, set margins.")
        if isinstance(self.limit, bool) or not isinstance(self.limit, (int, float)) or not 0 < self.limit < 1:
            raise ConfigError(f"decision: expected a limit above 0 and below 1, got {self.limit!r}.")

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any] | None,
        *,
        class_names: Sequence[str],
        base_healthy_classes: Sequence[str] | None = None,
    ) -> Decision:
        """Read the section `decision` of a config.

        Args:
            config: The section.
            class_names: The network's classes, in the order of its outputs.
            base_healthy_classes: What the base bundle declares healthy, if it declares that for these classes.

        Raises:
            ConfigError: A key or a value is not known.
        """
        if not isinstance(config, Mapping):
            raise ConfigError(f"decision: expected {{{', '.join(f'{key}: …' for key in KEYS)}}}, got {config!r}.")
        for key in config:
            check_choice(key, KEYS, name="decision")
        healthy = config.get("healthy_classes")
        if isinstance(healthy, str) or not isinstance(healthy, Sequence):
            raise ConfigError(
                "decision: expected healthy_classes, the list of classes that mean no disease ([] if none does); "
                f"the classes are {', '.join(class_names)}."
            )
        objective = config.get("objective", "match_reference")
        check_choice(objective, OBJECTIVES, name="decision: objective")
        return cls(
            class_names=tuple(class_names),
            healthy_classes=tuple(map(str, healthy)),
            objective=objective,
            endpoints=_endpoints(config, objective),
            limit=config.get("limit"),
            base_healthy_classes=None if base_healthy_classes is None else tuple(base_healthy_classes),
        )

    @property
    def subsets(self) -> tuple[str, ...]:
        """The subsets that endpoints are about, in their order."""
        return tuple(dict.fromkeys(one.subset for one in self.endpoints))

    @property
    def diseases(self) -> tuple[str, ...]:
        """The classes with false negatives: those that are not healthy, where any class is."""
        if not self.healthy_classes:
            return ()
        return tuple(name for name in self.class_names if name not in self.healthy_classes)

    @property
    def chance_or_limit(self) -> float:
        """The declared limit of `erase`, or chance."""
        return 1 / len(self.class_names) if self.limit is None else self.limit

    def margin(self, subset: str, measure: str) -> float:
        """Return the margin that guards on a subset use: the smallest declared for the measure, else the default."""
        declared = [one.margin for one in self.endpoints if (one.subset, one.measure) == (subset, measure)]
        return min(declared, default=default_margin(subset, measure))

    def min_patients(self, subset: str) -> int:
        """Return the largest number of patients that an endpoint on the subset asks for."""
        return max(one.min_patients for one in self.endpoints if one.subset == subset)

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of the verdict must know of the decision: whatever is more lenient than the default."""
        said = [
            f"The margin of {one.name} is {100 * one.margin:g} points, wider than the default "
            f"{100 * default_margin(one.subset, one.measure):g}."
            for one in self.endpoints
            if one.is_wider
        ]
        said += [
            f"A class of {words(subset)} is judged from {self.min_patients(subset)} patients on; the default is "
            f"{MIN_PATIENTS}."
            for subset in self.subsets
            if self.min_patients(subset) < MIN_PATIENTS
        ]
        judged = {(one.subset, one.measure) for one in self.endpoints if one.label == ALL}
        if dropped := [pair for pair in DEFAULTS[self.objective] if pair not in judged]:
            listed = ", ".join(f"{measure} on {words(subset)}" for subset, measure in dropped)
            said.append(f"Not declared for all classes, though judged by default: {listed}.")
        if self.objective == "erase" and self.chance_or_limit > 1 / len(self.class_names):
            said.append(f"The limit on the forget part is {100 * self.chance_or_limit:g} %, above chance.")
        if self.base_healthy_classes is not None and set(self.base_healthy_classes) != set(self.healthy_classes):
            said.append(
                f"Healthy is declared as {_listed(self.healthy_classes)}; the base bundle declares "
                f"{_listed(self.base_healthy_classes)}."
            )
        if not self.healthy_classes:
            said.append("No class is declared healthy: false negatives are not judged.")
        return tuple(said)

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as `metrics.json` holds it."""
        return {
            "objective": self.objective,
            "healthy_classes": list(self.healthy_classes),
            "base_healthy_classes": None if self.base_healthy_classes is None else list(self.base_healthy_classes),
            "limit": self.chance_or_limit if self.objective == "erase" else None,
            "endpoints": [
                {
                    "subset": one.subset,
                    "class": one.label,
                    "measure": one.measure,
                    "margin": one.margin,
                    "min_patients": one.min_patients,
                }
                for one in self.endpoints
            ],
        }


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "no class"


def _endpoints(config: Mapping[str, Any], objective: str) -> tuple[Endpoint, ...]:
    min_patients = config.get("min_patients", MIN_PATIENTS)
    check_min_patients(min_patients)
    listed = config.get("endpoints")
    if listed is None:
        listed = [{"subset": subset, "measure": measure} for subset, measure in DEFAULTS[objective]]
    if isinstance(listed, (str, Mapping)) or not isinstance(listed, Sequence):
        raise ConfigError(f"decision: expected endpoints as a list of {{{', '.join(ENDPOINT_KEYS)}}}.")
    return tuple(_endpoint(one, min_patients) for one in listed)


def _endpoint(entry: object, min_patients: int) -> Endpoint:
    if not isinstance(entry, Mapping) or "subset" not in entry:
        raise ConfigError(f"decision: expected each endpoint as {{{', '.join(ENDPOINT_KEYS)}}} with a subset.")
    for key in entry:
        check_choice(key, ENDPOINT_KEYS, name="decision: endpoint")
    values = {("label" if key == "class" else str(key)): value for key, value in entry.items()}
    if values.get("margin") == 0:
        raise ConfigError("decision: expected a margin above 0: a difference of nothing cannot be shown.")
    return Endpoint(**{"min_patients": min_patients, **values})
