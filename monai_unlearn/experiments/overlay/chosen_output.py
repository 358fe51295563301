"""Which of a network's outputs holds the logits: never one of several that fit, unless its name or the user says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.experiments.overlay.activations import activated
from monai_unlearn.experiments.overlay.findings import Finding, note, problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# (batch, class), whatever axes of length 1 follow.
CLASS_AXIS = 1
# What networks call their main output, where they name their outputs.
_MAIN = ("out", "logits", "pred")
_SEEN = {
    "softmax": "Over several inputs, all outputs lie between 0 and 1 and sum to 1: the network ends in a softmax.",
    "sigmoid": "Over several inputs, all outputs lie between 0 and 1, up to its ends: the network ends in a sigmoid.",
}
_HOW = "Say which one the bundle uses: --output NAME, or its number from 0."


@dataclass(frozen=True, kw_only=True)
class ChosenOutput:
    """The output that is revised.

    Attributes:
        count: How many classes it has; None where no output could be chosen.
        name: Its key or position; None where the network returns a tensor, or none could be chosen.
        findings: What is to be said of the choice.
    """

    count: int | None = None
    name: str | None = None
    findings: tuple[Finding, ...] = ()


def choose_output(outputs: Sequence[Mapping[str, Any]], *, expected: int | None, wanted: str | None) -> ChosenOutput:
    """Choose the output that holds the logits.

    Args:
        outputs: What the network returned for one image; see `engine.dry_run.try_bundle`.
        expected: How many classes the bundle has; None where nothing says so.
        wanted: What the user says; None for nothing.
    """
    named = [one for one in outputs if one["name"] is not None]
    if not named:
        return next((_chosen(one) for one in outputs if is_logits(one["shape"])), ChosenOutput())
    if wanted is not None:
        return _wanted(named, wanted)
    logits = [one for one in named if is_logits(one["shape"])]
    fitting = [one for one in logits if expected in (None, one["shape"][CLASS_AXIS])] or logits
    main = [one for name in _MAIN for one in fitting if one["name"] == name]
    if len(fitting) > 1 and not main:
        what = f"Several outputs of the network may be the logits: {_in_words(fitting)}. One of them may be auxiliary."
        return ChosenOutput(findings=(problem("several_outputs", what, _HOW),))
    return next((_chosen(one, others=len(named) - 1) for one in (*main, *fitting)), ChosenOutput())


def is_logits(shape: Sequence[int]) -> bool:
    """Return whether an output of this shape may hold a logit for each class."""
    return len(shape) > CLASS_AXIS and all(size == 1 for size in shape[CLASS_AXIS + 1 :])


def _wanted(named: Sequence[Mapping[str, Any]], wanted: str) -> ChosenOutput:
    found = [one for one in named if str(one["name"]) == wanted and is_logits(one["shape"])]
    if found:
        return _chosen(found[0])
    what = f"--output {wanted} is no output of shape (1, class); the network returns {_in_words(named)}."
    return ChosenOutput(findings=(problem("no_output", what, _HOW),))


def _chosen(output: Mapping[str, Any], *, others: int = 0) -> ChosenOutput:
    name, count = output["name"], output["shape"][CLASS_AXIS]
    said = list(_no_logits(output))
    if others:
        what = f"The network returns {others + 1} outputs, of which {name} is taken as the logits, and revised."
        said.append(note("output", what, "If the bundle uses another one, say so: --output NAME, or its number."))
    return ChosenOutput(count=count, name=None if name is None else str(name), findings=tuple(said))


def _no_logits(output: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield that values of an output look like probabilities."""
    if (seen := output.get("activation")) in _SEEN:
        yield activated(_SEEN[seen])
    elif seen is not None:
        yield note(
            "maybe_activated",
            "Over several inputs, all outputs lie between 0 and 1.",
            "If the network ends in a sigmoid, take it out of network_def: logits are expected.",
        )


def _in_words(outputs: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{one['name']} of shape {tuple(one['shape'])}" for one in outputs)
