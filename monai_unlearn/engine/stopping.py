"""Ends or pauses forgetting when enough is forgotten. No condition looks at a test image."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from ignite.engine import Events
from sklearn.metrics import roc_auc_score
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset, Subset

from monai_unlearn.engine import distributed
from monai_unlearn.engine.budget import longest_gap
from monai_unlearn.engine.stop_rule import MEASURED, StopRule
from monai_unlearn.errors import ConfigError
from monai_unlearn.evaluation import Predictions, predict
from monai_unlearn.methods import chosen_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from torch import Tensor, nn

    from monai_unlearn.engine.trainer import UnlearnTrainer

Subsets = Mapping[tuple[str, str], Dataset[Any]]
# Images of each data set that an evaluation uses: enough for three percentage points, and not a whole archive.
EVAL_MAX_IMAGES = 256
# Fewer images of a class say too little of it.
MIN_IMAGES = 5


class Stopping:
    """Evaluates the network during a run and applies a `StopRule`; a handler of `UnlearnTrainer`.

    It uses the validation images of the forget part, or the training images where the split has no validation images,
    and looks at each class that has at least `MIN_IMAGES` of them, or at every class if none has. The main process
    evaluates and broadcasts its decision to the others.

    Evaluations come after 1, 2, 4 … steps, up to `eval_interval`, whenever forgetting of a class begins or resumes: a
    step or two may be enough. While all forgetting is paused, and later on, they come every `eval_interval` steps.

    Args:
        rule: The conditions.
        subsets: The images by (part, split).
        network: The network being revised.
        device: Where the network is.
        references: The retrained references, for `gap_to_reference`; the main process alone needs them.
        eval_interval: Largest number of steps between two evaluations, at least 1; by default a thirtieth of the run.
        as_delivered: Returns the network to evaluate, given the network in training; for example a copy with
            recalibrated BatchNorm.
        delivery_images: Images that `as_delivered` passes through the network, to count costs.
        evaluated: Called in the main process after each evaluation with the step and what was measured.

    Raises:
        ConfigError: `eval_interval` is below 1.
    """

    def __init__(  # noqa: PLR0913 - options of a run, each by its name
        self,
        *,
        rule: StopRule,
        subsets: Subsets,
        network: nn.Module,
        device: str | torch.device = "cpu",
        references: Sequence[nn.Module] = (),
        eval_interval: int | None = None,
        as_delivered: Callable[[nn.Module], nn.Module] | None = None,
        delivery_images: int = 0,
        evaluated: Callable[[int, Mapping[str, Any]], None] | None = None,
    ) -> None:
        if eval_interval is not None and eval_interval < 1:
            raise ConfigError(f"eval_interval: expected at least 1 step between two evaluations, got {eval_interval}.")
        self.rule = rule
        self.network = network
        self.device = torch.device(device)
        self.references = tuple(references)
        self.delivery_images = delivery_images
        self.eval_interval = eval_interval
        self.as_delivered = as_delivered or (lambda network: network)
        self.evaluated = evaluated or (lambda _step, _measured: None)
        self.notes: list[str] = []
        self.evaluated_on, images = _images_to_evaluate(subsets)
        self.images = _at_most(EVAL_MAX_IMAGES, images)
        self.members, self.non_members = self._for_membership(subsets)
        self.history: list[dict[str, Any]] = []
        self.images_passed = 0
        self.next_evaluation, self.evaluation_gap = 1, 1
        self._aim: list[float] | None = None
        self._seconds_before = 0.0
        self._started = time.perf_counter()

    def attach(self, engine: UnlearnTrainer) -> None:
        """Apply the rule after the steps of a trainer, and start the clock."""
        self._started = time.perf_counter()
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._check_budgets)
        if set(self.rule.named) & set(MEASURED):
            self._measure_reference()
            engine.add_event_handler(Events.ITERATION_COMPLETED, self._evaluate_when_due)

    def state_dict(self) -> dict[str, Any]:
        """Return plain values from which another process can resume: evaluations, their schedule, and time spent."""
        return {
            "history": [dict(values) for values in self.history],
            "next_evaluation": self.next_evaluation,
            "evaluation_gap": self.evaluation_gap,
            "aim": self._aim,
            "images_passed": self.images_passed,
            "seconds": self.seconds,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume from what `state_dict` returned; to be called before `attach`."""
        self.history = [dict(values) for values in state["history"]]
        self.next_evaluation = state["next_evaluation"]
        self.evaluation_gap = state["evaluation_gap"]
        self._aim = state["aim"]
        self.images_passed = state["images_passed"]
        self._seconds_before, self._started = state["seconds"], time.perf_counter()

    def images_an_evaluation(self, *, has_reference: bool) -> int:
        """Return how many images an evaluation passes through the network, to plan a run; 0 where there are none.

        Args:
            has_reference: Whether the run has references for `gap_to_reference`.
        """
        if not set(self.rule.named) & set(MEASURED):
            return 0
        by_class = self.rule.forget_accuracy is not None or (self.rule.gap_to_reference is not None and has_reference)
        membership = [self.members, self.non_members] if self.non_members is not None else []
        sets = [*([self.images] if by_class else []), *membership]
        return self.delivery_images + sum(map(_length, sets))

    @property
    def seconds(self) -> float:
        """Seconds that the updates have taken so far, those before a resumption included."""
        return self._seconds_before + time.perf_counter() - self._started

    def measure(self) -> dict[str, Any]:
        """Return the value of each condition that can be measured, by its name, and what each class contributes.

        `classes` are the numbers of the classes that are looked at, in the order of the values of each.
        """
        network = self.as_delivered(self.network)
        self.images_passed += self.delivery_images
        found: dict[str, Any] = {}
        if self.rule.forget_accuracy is not None or self._aim is not None:
            predictions = self._predict(network, self.images)
            found["classes"] = _classes_of(predictions)
            if self.rule.forget_accuracy is not None:
                found["accuracy_by_class"] = _by_class(predictions, predictions.correct)
                found["forget_accuracy"] = max(found["accuracy_by_class"])
            if self._aim is not None:
                own = zip(_by_class(predictions, _own_probability(predictions)), self._aim, strict=True)
                found["gap_by_class"] = [probability - aim for probability, aim in own]
                found["gap_to_reference"] = min(found["gap_by_class"])
        if self.non_members is not None:
            members, non_members = (
                _losses(self._predict(network, images)) for images in (self.members, self.non_members)
            )
            found["membership_auc"] = loss_threshold_auc(members, non_members)
        return found

    def _predict(self, network: nn.Module, images: Dataset[Any]) -> Predictions:
        predictions = predict(network, images, device=self.device)
        self.images_passed += len(predictions)
        return predictions

    def _check_budgets(self, engine: UnlearnTrainer) -> None:
        """End the run when a budget is spent."""
        if self.rule.steps is not None and engine.state.iteration >= self.rule.steps:
            engine.end("steps")
        if self.rule.seconds is not None and distributed.broadcast(self.seconds, self.device) >= self.rule.seconds:
            engine.end("seconds")

    def _evaluate_when_due(self, engine: UnlearnTrainer) -> None:
        """Evaluate if it is time to, and schedule the next evaluation."""
        if engine.state.iteration < self.next_evaluation or not engine.affords_evaluation:
            return
        before = {*engine.state.paused_classes}
        self._evaluate(engine)
        longest = longest_gap(self.eval_interval, engine.planned_steps)
        if engine.paused:  # nothing is forgotten, and so nothing can go too far
            self.evaluation_gap = longest
        else:  # after a pause of a class, one step may be enough
            came_back = before - {*engine.state.paused_classes}
            self.evaluation_gap = 1 if came_back else min(2 * self.evaluation_gap, longest)
        self.next_evaluation = engine.state.iteration + self.evaluation_gap

    def _evaluate(self, engine: UnlearnTrainer) -> None:
        """End the forget phase, or pause forgetting, when a condition holds."""
        if engine.phase != "forget" or engine.state.ended_by is not None:
            return
        engine.state.evaluations += 1
        measured = self.measure() if distributed.is_main_process() else {}
        if self.rule.when_met == "pause":
            at_target = self.rule.classes_at_target(measured, engine.forget_classes) if measured else set()
            engine.pause(self._of_main_process(at_target, engine.forget_classes))
            measured["paused_classes"] = list(engine.state.paused_classes)
        else:
            met = self.rule.met(measured)
            number = distributed.broadcast(MEASURED.index(met) if met else -1, self.device)
            if number >= 0:
                engine.end_phase(MEASURED[int(number)])
        if distributed.is_main_process():
            self.history.append(measured)
            self.evaluated(engine.state.iteration, measured)

    def _of_main_process(self, chosen: Collection[int], classes: Sequence[int]) -> set[int]:
        """Return in every process what the main process chose among classes; the others choose nothing."""
        marks = torch.tensor([float(label in chosen) for label in classes], device=self.device)
        shared = distributed.all_reduce_sum(marks).tolist()
        return {label for label, mark in zip(classes, shared, strict=True) if mark}

    def _measure_reference(self) -> None:
        """Measure, once, what the references give each class, where a condition asks for it."""
        if self.rule.gap_to_reference is None or not distributed.is_main_process():
            return
        if not self.references:
            self.notes.append("Stopping: gap_to_reference was not judged, since there is no reference.")
        elif self._aim is None:
            found = [self._predict(reference, self.images) for reference in self.references]
            rows = torch.tensor([_by_class(one, _own_probability(one)) for one in found], dtype=torch.float64)
            self._aim = rows.mean(0).tolist()

    def _for_membership(self, subsets: Subsets) -> tuple[Dataset[Any], Dataset[Any] | None]:
        """Return forget training images, and never-trained ones of the same classes and cohort, where they are wanted.

        Images of another cohort are no substitute: a network tells cameras apart, whatever it remembers of an image.
        """
        members = subsets["forget", "train"]
        if self.rule.membership_auc is None:
            return members, None
        classes = {int(label) for label in _labels(members)}
        held_out = subsets.get(("forget", "validation"), ())
        rows = [row for row, label in enumerate(_labels(held_out)) if int(label) in classes]
        if rows:
            non_members = Subset(held_out, rows)  # type: ignore[arg-type]  # not empty, thus a data set
            return _at_most(EVAL_MAX_IMAGES, members), _at_most(EVAL_MAX_IMAGES, non_members)
        self.notes.append(
            "Stopping: membership_auc was not judged, since the forget part has no validation images, which no network "
            "was trained on, of its training images' classes; images of other cohorts are no substitute. More patients "
            "in validation may give it some: --split {seed: 0, test_fraction: 0.2, validation_fraction: 0.1}"
        )
        return members, None


def loss_threshold_auc(members: Tensor, non_members: Tensor) -> float:
    """Return the area under the ROC curve of the attack that calls an image a member if its loss is low.

    Args:
        members: Losses of images that were trained on, shape (image,), not empty.
        non_members: Losses of held-out images, shape (image,), not empty.
    """
    truth = torch.cat([torch.ones(len(members)), torch.zeros(len(non_members))])
    return float(roc_auc_score(truth.numpy(), -torch.cat([members, non_members]).numpy()))


def _images_to_evaluate(subsets: Subsets) -> tuple[str, Dataset[Any]]:
    validation = subsets.get(("forget", "validation"))
    if validation is not None and len(validation):  # type: ignore[arg-type]  # torch's Dataset does not declare __len__
        return "validation", validation
    return "train", subsets["forget", "train"]


def _length(images: Any) -> int:  # noqa: ANN401 - any sized collection of items
    return len(images)


def _at_most(number: int, images: Dataset[Any]) -> Dataset[Any]:
    """Return this many of the images or fewer, the same ones at every evaluation."""
    return Subset(images, chosen_rows(len(images), number, seed=0).tolist())  # type: ignore[arg-type]  # no __len__


def _labels(images: Any) -> list[int]:  # noqa: ANN401 - any sized collection of items
    return [images[row]["label"] for row in range(len(images))]


def _by_class(predictions: Predictions, values: Tensor) -> list[float]:
    """Return the mean of a value per image, shape (image,), for each class with enough images."""
    return [float(values[predictions.labels == label].double().mean()) for label in _classes_of(predictions)]


def _classes_of(predictions: Predictions) -> list[int]:
    """Return the classes with enough images, or all where none has enough, in ascending order."""
    counts = predictions.labels.bincount()
    enough = (counts >= MIN_IMAGES).nonzero().flatten()
    classes: list[int] = (enough if len(enough) else counts.nonzero().flatten()).tolist()
    return classes


def _own_probability(predictions: Predictions) -> Tensor:
    """Return the probability of each image's own class, shape (image,)."""
    return predictions.probabilities.gather(1, predictions.labels[:, None]).flatten()


def _losses(predictions: Predictions) -> Tensor:
    return cross_entropy(predictions.logits, predictions.labels, reduction="none")
