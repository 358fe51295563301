"""Several labels of an image as decisions of their own: each label is there or not, a task of two classes.

A decision is a row of a table of predictions. Its classes are the states of all labels, `no edema`, `edema`, `no mass`,
`mass`, of which those of other labels than its own have a logit so low that their probability is 0. So whatever is
computed of classes is computed of labels: the recall of `edema` is its sensitivity, that of `no edema` its specificity,
and an image with edema that is classified as `no edema` is a false negative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.vocabulary.label_words import absent

if TYPE_CHECKING:
    from collections.abc import Sequence

OFF = -1e4
"""The logit of a state that a decision is not about; exp(−1e4) is 0 in float64."""


def states(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the states of labels: of each, that it is not there, and that it is.

    >>> states(["edema", "mass"])
    ('no edema', 'edema', 'no mass', 'mass')
    """
    return tuple(state for label in labels for state in (absent(label), label))


def absent_states(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the state of each label in which it is not there."""
    return states(labels)[::2]


def labels_in(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that classes are the states of; none where they are something else.

    >>> labels_in(["no edema", "edema", "no mass", "mass"])
    ('edema', 'mass')
    >>> labels_in(["normal", "edema"])
    ()
    """
    labels = tuple(class_names[1::2])
    return labels if states(labels) == tuple(class_names) else ()


def note(labels: Sequence[str]) -> list[str]:
    """Return what a reader of figures of several labels must know; nothing where there are none."""
    if not labels:
        return []
    said = (
        f"An image may have several of {len(labels)} labels, each of which is judged for itself. The sensitivity of a "
        "label is the accuracy of images that have it; its specificity is that of images that do not, whose class is "
        f"called '{states(labels)[0]}', and so on. Figures over all classes count decisions, one for each image and "
        "label; their intervals take the decisions on an image as one. Audits were not measured."
    )
    return [said]
