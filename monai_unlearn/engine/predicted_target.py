"""The predictors that a run asks for: which they are, whether they may be used, and their proxies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn import strict_yaml
from monai_unlearn.errors import ConfigError, SpecError, check_choice
from monai_unlearn.evaluation.decision.applied_protocol import CohortFacts
from monai_unlearn.evaluation.decision.endpoint import part_of
from monai_unlearn.evaluation.decision.predicted import MEASURED
from monai_unlearn.evaluation.decision.target import MIN_PROXIES
from monai_unlearn.evaluation.predictors import CohortShape, registered

if TYPE_CHECKING:
    from monai_unlearn.data import CohortData
    from monai_unlearn.evaluation.decision import Decision
    from monai_unlearn.evaluation.decision.protocol import Protocol
    from monai_unlearn.evaluation.decision.protocol_parts import MeasuredPredictor
    from monai_unlearn.evaluation.decision.target import PredictedTarget
    from monai_unlearn.evaluation.predictors import Predictor, Proxy, Workshop

KEYS = ("name", "margin", "seeds")
MARGINS = (0.0, 0.5)
REHEARSE = (
    "Rehearse with this bundle on cohorts like this one (monai-unlearn rehearse), and give the protocol with its "
    "measured errors: --protocol FILE. Or retrain: --reference retrain."
)


@dataclass(frozen=True, kw_only=True)
class WantedPredictor:
    """A predictor that a run asks for.

    Args:
        name: Its registered name.
        margin: Of `never_trained`: how far the AUC may lie from 0.5, above 0 and below 0.5; None for the default.
        seeds: How many proxies are trained, at least three.

    Raises:
        ConfigError: A value is not one of those above.
    """

    name: str
    margin: float | None = None
    seeds: int = MIN_PROXIES

    def __post_init__(self) -> None:
        check_choice(self.name, registered(), name="predictor")
        if self.margin is not None:
            if self.predictor.margin is None:
                raise ConfigError(f"predictor: {self.name} is judged by the margins of the endpoints, not by its own.")
            if isinstance(self.margin, bool) or not isinstance(self.margin, (int, float)):
                raise ConfigError(f"predictor: expected a margin between 0 and 0.5, got {self.margin!r}.")
            if not MARGINS[0] < self.margin < MARGINS[1]:
                raise ConfigError(f"predictor: expected a margin between 0 and 0.5, got {self.margin!r}.")
        if isinstance(self.seeds, bool) or not isinstance(self.seeds, int) or self.seeds < MIN_PROXIES:
            raise ConfigError(f"predictor: expected at least {MIN_PROXIES} seeds, got {self.seeds!r}.")

    @property
    def predictor(self) -> Predictor:
        """The registered predictor."""
        return registered()[self.name]


def wanted_predictors(given: object) -> tuple[WantedPredictor, ...]:
    """Return what the setting `predictor` asks for.

    Args:
        given: Nothing; the name of a predictor; a mapping of `name` and its settings; or several as a list. Mappings
            and lists may be given as text, as on the command line.

    Raises:
        ConfigError: It is none of these, there is no such predictor, or one is named twice.

    >>> [one.name for one in wanted_predictors("[half_width, {name: last_blocks, seeds: 5}]")]
    ['half_width', 'last_blocks']
    """
    if isinstance(given, str) and given.lstrip()[:1] in {"{", "["}:
        try:
            given = strict_yaml.load(given, source="--predictor")
        except SpecError as error:
            raise ConfigError(f"predictor: expected a name, a mapping or a list of them. {error}") from error
    if given is None or given in ("", []):
        return ()
    listed = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    found = tuple(_wanted(one) for one in listed)
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise ConfigError(f"predictor: expected each predictor once, got {', '.join(names)}.")
    return found


def _wanted(given: object) -> WantedPredictor:
    if isinstance(given, str):
        return WantedPredictor(name=given)
    if not isinstance(given, Mapping) or "name" not in given:
        raise ConfigError(f"predictor: expected a name, or a mapping with a name, got {given!r}.")
    for key in given:
        check_choice(key, KEYS, name="predictor")
    return WantedPredictor(**given)


@dataclass(frozen=True, kw_only=True)
class Predicting:
    """The predictors of a run, with the targets that they stand for.

    Attributes:
        wanted: What the run asks for.
        targets: Of each, the target.
        shape: The cohort.
    """

    wanted: tuple[WantedPredictor, ...] = ()
    targets: tuple[PredictedTarget, ...] = ()
    shape: CohortShape | None = None

    def proxies(self, workshop: Workshop) -> list[Proxy]:
        """Return the proxies of all predictors."""
        if self.shape is None:
            return []
        return [proxy for one in self.wanted for proxy in one.predictor.make(workshop, self.shape, one.seeds)]


def predicting(
    given: object,
    *,
    data: CohortData,
    decision: Decision,
    record: Mapping[str, Any],
    has_reference: bool,
    protocol: Protocol | None,
) -> Predicting:
    """Return the predictors of a run, after checking that they may be used for its cohort.

    Beside retrained networks they decide nothing: there, any predictor for the cohort may be measured.

    Args:
        given: The setting `predictor`.
        data: The cohort.
        decision: What the run is judged by.
        record: The training record of the original weights; empty where there is none.
        has_reference: Whether the run compares with retrained networks.
        protocol: The protocol of the run, with the errors that were measured; None if it has none.

    Raises:
        ConfigError: A predictor is not for this cohort or decision; its error was not measured, or not on cohorts like
            this one; or several are given and nothing would say which decides.
    """
    wanted = wanted_predictors(given)
    if not wanted or data.cohort is None:
        return Predicting()
    if decision.objective != "match_reference":
        raise ConfigError("predictor: it predicts what retraining gives; with objective erase, leave it out.")
    shape = shape_of(data, record)
    for one in wanted:
        if refusal := one.predictor.refusal(shape):
            raise ConfigError(f"predictor: {refusal}")
    if len(wanted) > 1 and not has_reference:
        names = ", ".join(one.name for one in wanted)
        raise ConfigError(
            f"predictor: expected one to decide, got {names}. Several are measured beside --reference retrain."
        )
    facts = CohortFacts.of(data, reason=shape.reason)
    targets = []
    for one in wanted:
        measured = _measured(one, facts, decision, data, protocol, must=not has_reference)
        targets.append(
            one.predictor.target(
                shape,
                margin=one.margin,
                proxies=one.seeds,
                cohorts=measured.cohorts if measured else 0,
                errors={(row.subset, row.label): row.error for row in measured.errors} if measured else {},
            )
        )
    return Predicting(wanted=wanted, targets=tuple(targets), shape=shape)


def shape_of(data: CohortData, record: Mapping[str, Any]) -> CohortShape:
    """Return what predictors must know of a cohort."""
    cohort = data.cohort
    if cohort is None:
        raise ConfigError("cohort_spec is not set. Give it on the command line: --cohort_spec FILE")
    train = data.frame[data.frame["split"] == "train"]
    counts = {part: train[train["part"] == part]["label"].value_counts() for part in ("forget", "remain")}
    recipe = record.get("recipe")
    balance = recipe.get("class_balance", 0.0) if isinstance(recipe, Mapping) else 0.0
    return CohortShape(
        reason=cohort.spec.reason.value,
        forget={str(name): int(count) for name, count in counts["forget"].items()},
        remain={str(name): int(count) for name, count in counts["remain"].items()},
        is_sample=cohort.spec.sample is not None,
        class_balance=float(balance),
    )


def _measured(
    wanted: WantedPredictor,
    facts: CohortFacts,
    decision: Decision,
    data: CohortData,
    protocol: Protocol | None,
    *,
    must: bool,
) -> MeasuredPredictor | None:
    """Return the measurement of a predictor; raise if there must be one and it does not hold for the cohort."""
    if not must or not wanted.predictor.is_measured:
        return None
    found = None if protocol is None else next((one for one in protocol.predictors if one.name == wanted.name), None)
    if protocol is None or found is None:
        raise ConfigError(
            f"predictor: the error of {wanted.name} was not measured, so that it may not decide. {REHEARSE}"
        )
    outside = facts.outside(protocol)
    if facts.reason not in found.reasons:
        outside.insert(0, f"Its error was measured for the reason {', '.join(found.reasons)}, not {facts.reason}.")
    missing = [
        f"Its error was not measured on {subset.replace('_', ' ')}, class {label}."
        for subset, label in _judged(decision, data)
        if (subset, label) not in {(row.subset, row.label) for row in found.errors}
    ]
    if wanted.predictor.proxies >= MIN_PROXIES and wanted.seeds < found.seeds:
        missing.append(f"It was measured with {found.seeds} seeds, and this run has {wanted.seeds}.")
    others = [one.name for one in decision.endpoints if one.part == "forget" and one.measure != MEASURED]
    if others:
        missing.append(f"It predicts mean probabilities, and the decision declares {others[0]}.")
    if outside or missing:
        raise ConfigError(
            f"predictor: what was measured of {wanted.name} does not hold for this run.\n"
            + "\n".join([*outside, *missing, REHEARSE])
        )
    return found


def _judged(decision: Decision, data: CohortData) -> list[tuple[str, str]]:
    """Return the subsets of the forget part that endpoints are about, with the classes that the part has images of."""
    labels = sorted(set(data.frame.loc[data.frame["part"] == "forget", "label"]))
    subsets = [name for name in decision.subsets if part_of(name) == "forget"]
    return [(subset, label) for subset in subsets for label in labels]
