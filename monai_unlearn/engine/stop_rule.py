"""Named conditions under which forgetting, or the whole run, ends early."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError, check_choice, did_you_mean

if TYPE_CHECKING:
    from monai_unlearn.methods import Method

# Conditions on what the network does with images; the others are budgets.
MEASURED = ("forget_accuracy", "gap_to_reference", "membership_auc")
WHEN_MET = ("stop", "pause")
_BY_CLASS = {"forget_accuracy": "accuracy_by_class", "gap_to_reference": "gap_by_class"}


@dataclass(frozen=True, kw_only=True)
class StopRule:
    """Conditions on a run. The first three end or pause forgetting; the budgets, `steps` and `seconds`, end the run.

    Args:
        forget_accuracy: Accuracy on the forget images of every class is at most this, in [0, 1].
        gap_to_reference: For some class, the mean probability of that class on its forget images is at most this far
            above that of the retrained references, in [0, 1]. One class is enough to stop: more forgetting would take
            it below them, however far above the others are; one accuracy over all classes would not show it.
        membership_auc: A threshold on the loss separates forget training images from never-trained images of the same
            classes and the same cohort with an area under the curve of at most this, in [0, 1]; 0.5 is chance (Yeom et
            al. 2018, arXiv 1709.01604, section 3.3).
        steps: The run has made this many updates, at least 1.
        seconds: The updates have taken this many seconds, positive.
        when_met: What one of the first three conditions does. `stop` ends the forget phase. `pause` leaves the forget
            images of a class out for as long as the class is within the limit, so that the run ends near the limit and
            not where it first crossed it; see `classes_at_target`.

    Raises:
        ConfigError: A limit is not a number, or out of range.

    >>> StopRule.read({"forget_accuracy": 0.02, "seconds": 600}).named
    ('forget_accuracy', 'seconds')
    """

    forget_accuracy: float | None = None
    gap_to_reference: float | None = None
    membership_auc: float | None = None
    steps: int | None = None
    seconds: float | None = None
    when_met: str = "stop"

    def __post_init__(self) -> None:
        check_choice(self.when_met, WHEN_MET, name="stop: when_met")
        for name in self.named:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ConfigError(f"stop: expected a number for {name}, got '{value}'.")
            if name in MEASURED and not 0 <= value <= 1:
                raise ConfigError(f"stop: expected {name} in [0, 1], got {value}.")
            if name not in MEASURED and value <= 0:
                raise ConfigError(f"stop: expected {name} above 0, got {value}.")

    @classmethod
    def read(cls, section: Mapping[str, Any] | None) -> StopRule:
        """Read `{condition: limit}` from a config; null sets no condition.

        Raises:
            ConfigError: A condition is unknown, or its limit is out of range.
        """
        if section is None:
            return cls()
        known = [field.name for field in fields(cls)]
        if not isinstance(section, Mapping):
            raise ConfigError(
                f"stop: expected conditions and limits, such as {{forget_accuracy: 0.02}}, got {section}."
            )
        for name in section:
            if name not in known:
                raise ConfigError(
                    f"stop: no condition is named '{name}'.{did_you_mean(str(name), known)} "
                    f"There are {', '.join(known)}."
                )
        return cls(**section)

    @classmethod
    def of_run(
        cls, section: Mapping[str, Any] | None, *, objective: str, has_reference: bool, method: Method
    ) -> StopRule:
        """Return the conditions that a config sets; by default, those that follow from what the run aims at.

        A run that is to match a reference leaves each class out while it is where the reference, which has never seen
        the forget images, has it. It pauses and does not stop, because the first steps overshoot and the remain images
        learnt afterwards undo part of that. A method that uses no forget images has nothing to pause, and one that
        takes no steps nothing to stop.

        Args:
            section: The section `stop` of the config; null leaves the choice to this function.
            objective: `match_reference` or `erase`.
            has_reference: Whether the run has a retrained reference.
            method: The method of the run.

        Raises:
            ConfigError: As `read`; or the run is to pause forgetting, of which the method does none, or to stop a
                method that takes no steps.
        """
        forgets = method.needs_forget and not method.one_shot
        if section is None and objective == "match_reference" and has_reference and forgets:
            return cls(gap_to_reference=0.0, when_met="pause")
        rule = cls.read(section)
        if method.one_shot and rule.named:
            raise ConfigError(
                f"stop: the method takes no steps, so that {', '.join(rule.named)} can stop nothing. Leave stop out."
            )
        if rule.when_met == "pause" and not forgets:
            raise ConfigError(
                "stop: when_met: pause leaves the forget images out, and the method uses none. Leave when_met out."
            )
        return rule

    @property
    def named(self) -> tuple[str, ...]:
        """The conditions that are set."""
        limits = [field.name for field in fields(self) if field.name != "when_met"]
        return tuple(name for name in limits if getattr(self, name) is not None)

    def met(self, measured: Mapping[str, float]) -> str | None:
        """Return the first of the measured conditions that holds, if any does."""
        return next((name for name in MEASURED if name in measured and measured[name] <= getattr(self, name)), None)

    def classes_at_target(self, measured: Mapping[str, Any], classes: Collection[int]) -> set[int]:
        """Return the classes of which enough is forgotten, of those of the forget images.

        A class is where it should be if it meets `forget_accuracy` or `gap_to_reference`; `membership_auc`, which is
        not measured by class, holds for all. Classes with too few images to be looked at go on until all the others
        are where they should be.

        Args:
            measured: What `Stopping.measure` returns.
            classes: The classes of the forget images.

        >>> rule = StopRule(gap_to_reference=0.0, when_met="pause")
        >>> measured = {"gap_to_reference": -0.1, "gap_by_class": [-0.1, 0.3], "classes": [0, 2]}
        >>> rule.classes_at_target(measured, classes=(0, 1, 2))
        {0}
        """
        if "membership_auc" in measured and self.met({"membership_auc": measured["membership_auc"]}):
            return {*classes}
        found = {
            label
            for name, values in _BY_CLASS.items()
            for label, value in zip(measured.get("classes", ()), measured.get(values, ()), strict=False)
            if value <= getattr(self, name)
        }
        return {*classes} if found and found >= {*measured["classes"]} else found
