"""What says that a network's outputs are no logits, or leaves open what they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monai_unlearn.experiments.overlay.classes import losses_of
from monai_unlearn.experiments.overlay.config_data import components, target
from monai_unlearn.experiments.overlay.findings import Finding, note, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.experiments.overlay.facts import BundleFacts
    from monai_unlearn.experiments.overlay.settings import Choices

# What networks of MONAI and others call the activation of their outputs.
_LAST = ("last_act", "last_activation", "final_act", "final_activation", "output_activation")
_DO = (
    "Take the last activation out of network_def, which changes no weight, and apply it in postprocessing: methods, "
    "metrics and margins are about logits."
)


def check_activations(facts: BundleFacts, choices: Choices) -> Iterator[Finding]:
    """Yield what configs say of the activation of the outputs."""
    network = facts.config.resolved(facts.config.at("network_def"))
    arguments = network if isinstance(network, dict) else {}
    for name in _LAST:
        if re.search("(?<!log)(?<!log_)(sigmoid|softmax)", str(arguments.get(name)).lower()):
            yield activated(f"network_def has {name}: {arguments[name]}, so that its outputs are no logits.")
    losses = losses_of(facts.training)
    if "BCELoss" in losses:
        yield activated("Training's loss is BCELoss, which takes probabilities: the network ends in a sigmoid.")
    if "NLLLoss" in losses:
        yield note(
            "log_probabilities",
            "Training's loss is NLLLoss, which takes log probabilities. As logits they give the same probabilities.",
        )
    if choices.head is None and not choices.labels and _may_be_labels(facts, losses):
        yield note(
            "sigmoid",
            "postprocessing applies a sigmoid to each of several outputs, and no training config says whether an image "
            "has one class or several labels. One class is assumed, with a softmax over the outputs.",
            "If it may have several: --head multilabel --labels FIRST,SECOND,… If one class is right: --head softmax.",
        )


def activated(what: str) -> Finding:
    """Return the problem of outputs that are no logits."""
    return problem("activated", what, _DO)


def _may_be_labels(facts: BundleFacts, losses: list[str]) -> bool:
    outputs = facts.outputs
    if outputs.head != "softmax" or outputs.count == 1 or "CrossEntropyLoss" in losses:
        return False
    steps = [one for _, one in components(facts.config.resolved(facts.config.at("postprocessing")))]
    sigmoid = any(one.get("sigmoid") for one in steps if target(one).startswith("Activations"))
    return sigmoid and not any(one.get("argmax") or one.get("softmax") for one in steps)
