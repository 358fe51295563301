"""Which classes a bundle has, from its metadata, its outputs, what its user says, and an index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import check_choice
from monai_unlearn.evaluation.label_states import states
from monai_unlearn.experiments.overlay.classes import HEADS
from monai_unlearn.experiments.overlay.findings import Finding, note, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.experiments.overlay.classes import Outputs
    from monai_unlearn.experiments.overlay.sample_image import SampleImage
    from monai_unlearn.experiments.overlay.settings import Choices

_ONE_LOGIT = 2


@dataclass(frozen=True, kw_only=True)
class ChosenClasses:
    """The classes of a run, and what is to be said of them.

    Attributes:
        names: The classes, in the order of the outputs; of a single logit, that of a low one first.
        head: What the network gives out.
        columns: The columns of the index that hold its labels, where an image may have several.
        findings: What is wrong with them.
    """

    names: tuple[str, ...]
    head: str
    columns: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def choose_classes(outputs: Outputs, choices: Choices, sample: SampleImage | None) -> ChosenClasses:
    """Return the classes.

    Args:
        outputs: What the bundle says, with the number of outputs that the network was seen to have.
        choices: What the user says.
        sample: An image of the index, with the classes and the columns there, if there is one.

    Raises:
        ConfigError: The user names a head that there is not.
    """
    head = choices.head_of(outputs)
    check_choice(head, HEADS, name="--head")
    expected = _ONE_LOGIT if head == "sigmoid" else outputs.count
    names = choices.classes or outputs.names
    if head == "multilabel":
        return _several_labels(outputs, names, expected, choices, sample)
    labels = None if sample is None else sample.labels
    if head == "sigmoid" and len(names) == 1 and labels is not None and len(labels) == _ONE_LOGIT:
        names = tuple(sorted(labels, key=lambda label: label == names[0])) if names[0] in labels else names
    findings = [
        *_order(outputs.names, choices.classes, "--classes"),
        *_count(names, expected, head),
        *_labels(names, labels),
        *_healthy(names, choices.healthy),
    ]
    if sample is not None and labels is None:
        what = "The index does not say which column holds the class."
        findings.append(problem("no_class_column", what, "Build it again: monai-unlearn index build … --label FIELD."))
    return ChosenClasses(names=names, head=head, findings=tuple(findings))


def _several_labels(
    outputs: Outputs, names: tuple[str, ...], expected: int | None, choices: Choices, sample: SampleImage | None
) -> ChosenClasses:
    """Return the labels of which an image may have several, each in a column of its own."""
    columns = choices.labels
    if not columns and names and sample is not None and sample.columns >= set(names):
        columns = names
    findings = [
        *_order(outputs.names, choices.classes, "--classes"),
        *_order(names, choices.labels, "--labels"),
        *_count(names, expected, "multilabel"),
    ]
    if len(columns) != len(names):
        findings.append(
            problem(
                "multilabel",
                "The outputs are labels that an image may have several of, each with a sigmoid of its own (loss or "
                "postprocessing say so).",
                "Name the columns of the index that hold 0 or 1, one for each output: --labels FIRST,SECOND,… Or, if "
                "exactly one is right for each image, say so: --head softmax.",
            )
        )
    elif sample is not None and (missing := [name for name in columns if name not in sample.columns]):
        what = f"The index has no column {', '.join(missing)}."
        findings.append(problem("multilabel", what, "Name columns that hold 0 or 1: --labels FIRST,SECOND,…"))
    findings += _healthy(states(names), choices.healthy)
    return ChosenClasses(names=names, head="multilabel", columns=columns, findings=tuple(findings))


def _order(named: tuple[str, ...], given: tuple[str, ...], option: str) -> list[Finding]:
    """Refuse names of the metadata in another order: one of the two would take each output for another class."""
    turned = sorted(named) == sorted(given) and named != given
    # Of one logit, the class that is named is the second one.
    if not turned and not (len(named) == 1 and len(given) == _ONE_LOGIT and given[0] == named[0]):
        return []
    what = (
        f"{option} says {', '.join(given)}, and channel_def of the metadata {', '.join(named)}: both are in the order "
        "of the network's outputs (of one logit, channel_def names the second class)."
    )
    return [problem("class_order", what, f"Give {option} in the order of the metadata, or mend channel_def.")]


def _count(names: tuple[str, ...], expected: int | None, head: str) -> list[Finding]:
    if names and expected in (None, len(names)):
        return []
    there = f"the metadata name {', '.join(names)}" if names else "the metadata name no class in channel_def"
    if head == "sigmoid":
        what = f"The network has one logit, which tells two classes apart, and {there}."
        return [problem("one_logit", what, "Name both, that of a low logit first: --classes NEGATIVE,POSITIVE.")]
    what = f"The network has {expected or 'an unknown number of'} outputs, and {there}."
    return [problem("classes", what, "Name the classes, in the order of the outputs: --classes FIRST,SECOND,…")]


def _labels(names: tuple[str, ...], labels: Mapping[str, int] | None) -> list[Finding]:
    if labels is None or not names:
        return []
    others = [label for label in labels if label not in names]
    if not others:
        return []
    images = sum(labels[label] for label in others)
    return [
        problem(
            "labels",
            f"{images} images of the index have a class that is none of {', '.join(names)} ({len(others)} other values "
            "in its column).",
            "Name the classes as the index does, in the order of the outputs (--classes FIRST,SECOND,…), or fix the "
            "table. Images of other classes are left out by the spec's population; then leave out --index here.",
        )
    ]


def _healthy(names: tuple[str, ...], healthy: tuple[str, ...]) -> list[Finding]:
    if unknown := [name for name in healthy if name not in names]:
        what = f"--healthy names {', '.join(unknown)}, and the classes are {', '.join(names)}."
        return [problem("healthy", what, "Name classes.")]
    if healthy:
        return []
    return [
        note(
            "healthy",
            "No class is said to mean no disease, so that no false negatives are counted.",
            "If one does, name it: --healthy CLASS.",
        )
    ]
