"""Which classes a bundle has, from its metadata, its outputs, what its user says, and an index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.experiments.overlay.findings import Finding, note, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monai_unlearn.experiments.overlay.classes import Outputs
    from monai_unlearn.experiments.overlay.settings import Choices

SUPPORTED = ("softmax", "sigmoid")
_ONE_LOGIT = 2


@dataclass(frozen=True, kw_only=True)
class ChosenClasses:
    """The classes of a run, and what is to be said of them.

    Attributes:
        names: The classes, in the order of the outputs; of a single logit, that of a low one first.
        head: What the network gives out.
        findings: What is wrong with them.
    """

    names: tuple[str, ...]
    head: str
    findings: tuple[Finding, ...]


def choose_classes(outputs: Outputs, choices: Choices, labels: Mapping[str, int] | None) -> ChosenClasses:
    """Return the classes.

    Args:
        outputs: What the bundle says, with the number of outputs that the network was seen to have.
        choices: What the user says.
        labels: The number of images of each class in the index, if there is one.
    """
    head = choices.head or outputs.head
    if head not in SUPPORTED:
        return ChosenClasses(names=outputs.names, head=head, findings=(_several_labels(),))
    expected = _ONE_LOGIT if head == "sigmoid" else outputs.count
    names = choices.classes or outputs.names
    if head == "sigmoid" and len(names) == 1 and labels is not None and len(labels) == _ONE_LOGIT:
        names = tuple(sorted(labels, key=lambda label: label == names[0])) if names[0] in labels else names
    findings = [*_count(names, expected, head), *_labels(names, labels), *_healthy(names, choices.healthy)]
    return ChosenClasses(names=names, head=head, findings=tuple(findings))


def _several_labels() -> Finding:
    return problem(
        "multilabel",
        "The outputs are labels that an image may have several of, each with a sigmoid of its own (loss and "
        "postprocessing say so). An image of an index has one class.",
        "If exactly one is right for each image, say so: --head softmax.",
    )


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
            "Name the classes as the index does, in the order of the outputs (--classes FIRST,SECOND,…), or mend the "
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
