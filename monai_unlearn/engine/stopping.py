"""When a run has forgotten enough, or has taken long enough: named conditions, none of which sees a test image."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import torch
from ignite.engine import Engine, Events
from sklearn.metrics import roc_auc_score
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset, Subset

from monai_unlearn.engine import distributed
from monai_unlearn.errors import ConfigError, did_you_mean
from monai_unlearn.evaluation import Predictions, predict
from monai_unlearn.methods.label_search import chosen_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from monai_unlearn.engine.trainer import UnlearnTrainer

Subsets = Mapping[tuple[str, str], Dataset[Any]]
# Conditions on shares of images; the others are budgets.
MEASURED = ("forget_accuracy", "gap_to_reference", "membership_auc")
WHEN_MET = ("stop", "pause")
# Images of a kind that a look reads at the most: enough for three points, and no archive's size.
EVAL_MAX_IMAGES = 256
# Looks at a run that goes on as planned.
EVALUATIONS = 30


@dataclass(frozen=True, kw_only=True)
class StopRule:
    """Conditions, of which the first that holds ends or pauses the forget phase or, for the budgets, ends the run.

    Args:
        forget_accuracy: Accuracy on forget images is at most this, in [0, 1].
        gap_to_reference: It is at most this far above the retrained reference's, in [0, 1].
        membership_auc: A threshold on the loss tells forget training images from held-out images of the same
            classes with an area under the curve of at most this, in [0, 1]; 0.5 is guessing (Yeom et al. 2018,
            arXiv 1709.01604, section 3.3).
        steps: So many updates were made, at least 1.
        seconds: They took so many seconds, positive.
        when_met: What one of the first three does: `stop` ends the forget phase. `pause` goes on with remain images
            alone and takes the forget images up again once no condition holds, so that the run ends near the limit
            instead of where it first went past it.
    """

    forget_accuracy: float | None = None
    gap_to_reference: float | None = None
    membership_auc: float | None = None
    steps: int | None = None
    seconds: float | None = None
    when_met: str = "stop"

    def __post_init__(self) -> None:
        if self.when_met not in WHEN_MET:
            raise ConfigError(
                f"stop: expected when_met to be {' or '.join(WHEN_MET)}, got '{self.when_met}'."
                + did_you_mean(str(self.when_met), WHEN_MET)
            )
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
        """Read `{condition: limit}` of a config.

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

    @property
    def named(self) -> tuple[str, ...]:
        """The conditions that are set."""
        limits = [field.name for field in fields(self) if field.name != "when_met"]
        return tuple(name for name in limits if getattr(self, name) is not None)


class Stopping:
    """Looks at the network every so many steps, and ends the phase or the run by a `StopRule`.

    It looks at the validation images of the forget part, where the split has any, else at its training images;
    the first process looks, and the others hear what it decided.

    Args:
        rule: The conditions.
        subsets: The pictures by (part, split).
        network: The network being revised.
        device: Where it is.
        reference: The retrained reference, for `gap_to_reference`.
        every: Steps between two looks at the most, at least 1; by default a thirtieth of the run. When forget images
            begin to be learnt from, or do so again, it looks after 1, 2, 4 … steps, up to this: where a step or two
            are enough, no more are taken. A look reads at most 256 images of each data set that it asks about.
        view: What to look at instead of the network itself, such as a copy with recalibrated statistics.
        before: Seconds that updates took before this run went on from a checkpoint.
    """

    def __init__(
        self,
        *,
        rule: StopRule,
        subsets: Subsets,
        network: nn.Module,
        device: str | torch.device = "cpu",
        reference: nn.Module | None = None,
        every: int | None = None,
        view: Callable[[nn.Module], nn.Module] | None = None,
        before: float = 0.0,
    ) -> None:
        if every is not None and every < 1:
            raise ConfigError(f"eval_interval: expected at least 1 step between two looks, got {every}.")
        self.rule = rule
        self.network = network
        self.device = torch.device(device)
        self.every = every
        self.view = view or (lambda network: network)
        self.before = before
        self.notes: list[str] = []
        self.evaluated_on, images = _images_to_evaluate(subsets)
        self.images = _few(images)
        self.members, self.non_members = self._for_membership(subsets)
        self.aim = self._aim(reference)
        self.history: list[dict[str, float]] = []
        self._started = time.perf_counter()

    def attach(self, engine: UnlearnTrainer) -> None:
        """Look at the network every so many steps of a trainer."""
        self._started = time.perf_counter()
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._spend)
        if set(self.rule.named) & set(MEASURED):
            engine.add_event_handler(Events.ITERATION_COMPLETED, self._evaluate_in_time)

    def _spend(self, engine: UnlearnTrainer | Engine) -> None:
        """End the run when a budget is spent."""
        if self.rule.steps is not None and engine.state.iteration >= self.rule.steps:
            engine.end("steps")
        if self.rule.seconds is not None:
            spent = self.before + time.perf_counter() - self._started
            if distributed.broadcast(spent, self.device) >= self.rule.seconds:
                engine.end("seconds")

    def _evaluate_in_time(self, engine: UnlearnTrainer) -> None:
        """Look if it is time to, and say when the next time is."""
        if engine.state.iteration < engine.next_evaluation:
            return
        was_paused = engine.paused
        self._evaluate(engine)
        longest = self.every or max(1, engine.total_steps // EVALUATIONS)
        # While nothing is forgotten nothing can go too far; after a pause, one step may be enough.
        engine.evaluation_gap = (
            longest if engine.paused else 1 if was_paused else min(2 * engine.evaluation_gap, longest)
        )
        engine.next_evaluation = engine.state.iteration + engine.evaluation_gap

    def _evaluate(self, engine: UnlearnTrainer | Engine) -> None:
        """End the forget phase, or pause forgetting, when a condition holds."""
        if engine.phase != "forget" or engine.ended_by is not None:
            return
        number = float("nan")
        if distributed.is_main_process():
            self.history.append(self.measure())
            held = [name for name, value in self.history[-1].items() if value <= getattr(self.rule, name)]
            number = MEASURED.index(held[0]) if held else -1
        number = distributed.broadcast(number, self.device)
        if self.rule.when_met == "pause":
            engine.pause(paused=number >= 0)
        elif number >= 0:
            engine.end_phase(MEASURED[int(number)])

    def measure(self) -> dict[str, float]:
        """Return the value of each condition that can be judged, by its name."""
        network = self.view(self.network)
        found: dict[str, float] = {}
        if self.rule.forget_accuracy is not None or self.aim is not None:
            accuracy = _accuracy(predict(network, self.images, device=self.device))
            if self.rule.forget_accuracy is not None:
                found["forget_accuracy"] = accuracy
            if self.aim is not None:
                found["gap_to_reference"] = accuracy - self.aim
        if self.non_members is not None:
            members, non_members = (
                _losses(predict(network, images, device=self.device)) for images in (self.members, self.non_members)
            )
            found["membership_auc"] = loss_threshold_auc(members, non_members)
        return found

    def _aim(self, reference: nn.Module | None) -> float | None:
        """Return the reference's accuracy on the images looked at, where a condition asks for it."""
        if self.rule.gap_to_reference is None or not distributed.is_main_process():
            return None
        if reference is None:
            self.notes.append("Stopping: gap_to_reference was not judged, since there is no reference.")
            return None
        return _accuracy(predict(reference, self.images, device=self.device))

    def _for_membership(self, subsets: Subsets) -> tuple[Dataset[Any], Dataset[Any] | None]:
        """Return forget training images, and held-out images of the same classes, where a condition asks for them."""
        members = subsets["forget", "train"]
        if self.rule.membership_auc is None:
            return members, None
        classes = {int(label) for label in _labels(members)}
        for part in ("forget", "remain"):
            held_out = subsets.get((part, "validation"), ())
            rows = [row for row, label in enumerate(_labels(held_out)) if int(label) in classes]
            if rows:
                return _few(members), _few(Subset(held_out, rows))  # type: ignore[arg-type]  # not empty, thus a data set
        self.notes.append(
            "Stopping: membership_auc was not judged, since the split has no validation images of the forgotten "
            "classes. Give it some: --split {seed: 0, test_fraction: 0.2, validation_fraction: 0.1}"
        )
        return members, None


def loss_threshold_auc(members: Tensor, non_members: Tensor) -> float:
    """Return the area under the curve of the attack that calls an image a member if its loss is low.

    Args:
        members: Losses of images that were trained on, shape (image,), not empty.
        non_members: Losses of others, shape (image,), not empty.
    """
    known = torch.cat([torch.ones(len(members)), torch.zeros(len(non_members))])
    return float(roc_auc_score(known.numpy(), -torch.cat([members, non_members]).numpy()))


def _images_to_evaluate(subsets: Subsets) -> tuple[str, Dataset[Any]]:
    validation = subsets.get(("forget", "validation"))
    if validation is not None and len(validation):  # type: ignore[arg-type]  # torch's Dataset does not declare __len__
        return "validation", validation
    return "train", subsets["forget", "train"]


def _few(images: Dataset[Any]) -> Dataset[Any]:
    """Return as many images as a look reads, the same ones at every look."""
    return Subset(images, chosen_rows(len(images), EVAL_MAX_IMAGES, seed=0).tolist())  # type: ignore[arg-type]  # no __len__


def _labels(images: Any) -> list[int]:  # noqa: ANN401 - any sized collection of items
    return [images[row]["label"] for row in range(len(images))]


def _accuracy(predictions: Predictions) -> float:
    return float(predictions.correct.float().mean())


def _losses(predictions: Predictions) -> Tensor:
    return cross_entropy(predictions.logits, predictions.labels, reduction="none")
