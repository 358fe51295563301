"""What no interval shows and yet forbids a verdict that promotes: classes never seen, outputs that are not finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monai_unlearn.evaluation.decision.endpoint import part_of, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monai_unlearn.evaluation.decision.evidence import Evidence


def objections(evidence: Evidence) -> list[str]:
    """Return a sentence for each thing that could not be judged, wherever the endpoints look.

    - a class of the network of which no part has an image: what the revision does to it is unknown;
    - outputs of the revised network that are not finite, in any subset;
    - outputs of the original, or of the recalibrated copy of the revised network, that are not finite on the forget
      part: how far it was changed, and whether in its weights, is unknown.
    """
    return [*_unseen(evidence), *_not_finite(evidence)]


def _unseen(evidence: Evidence) -> Iterator[str]:
    seen = {name for classes in evidence.subsets.values() for name in classes}
    for name in evidence.class_names:
        if name not in seen:
            yield f"No part has an image of {name}: what the revision does to this class is unknown."


def _not_finite(evidence: Evidence) -> Iterator[str]:
    for subset, classes in sorted(evidence.subsets.items()):
        judged = [evidence.revised]
        if part_of(subset) == "forget":
            # Without the control's outputs nothing tells forgetting from an artefact of BatchNorm's statistics.
            judged += [evidence.original, *([evidence.control] if evidence.control else [])]
        for network in judged:
            if count := sum(means.not_finite.get(network, 0) for means in classes.values()):
                yield f"Images on {words(subset)} without a finite output of {network}: {count}."
