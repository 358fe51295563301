"""What the card advises, and why in one sentence: the first thing that a signer reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.card.wording import share, words
from monai_unlearn.evaluation.decision.verdict import Verdict, promotes

if TYPE_CHECKING:
    from collections.abc import Mapping

    Document = Mapping[str, Any]

CONSENT = "consent_withdrawal"
OBJECTS = ("beyond", "blocks")
"""What a guard finds where it objects."""
MEASURES = {
    "mean_probability": "mean probability of the true class",
    "sensitivity": "share classified correctly",
    "macro_sensitivity": "mean sensitivity of the classes",
    "false_negatives": "share of disease that is missed",
    "membership_auc": "ease of telling trained from untrained images",
}
_KEPT = "balanced_accuracy/remain/test/all"


def advice(diff: Document) -> dict[str, str]:
    """Return `action`, one of `wording.ACTIONS`, and `sentence`, why.

    - `deploy_revised`: the verdict promotes the revised network.
    - `deploy_retrained`: the revised network is shown to differ from networks retrained without the cohort, and these
      are no worse for the patients to come than the original by more than the margin.
    - `do_not_deploy`: it is shown to be different, or not to have forgotten; a guard objects; or consent was withdrawn
      by patients of whom other images are still learned from.
    - `not_known`: the evidence decides nothing.

    Args:
        diff: The difference, as far as it is built: verdict, needs, basis, decision, metrics, modification.
    """
    cohort = diff["modification"]["cohort"]
    if diff["modification"].get("reason") == CONSENT and cohort["patients_in_both"]:
        return _of(
            "do_not_deploy",
            f"{cohort['patients_in_both']} patients who may have withdrawn consent still have images among those that "
            "the model learns from: forget whole patients (scope: patient).",
        )
    return _of(*_by_verdict(diff, Verdict(diff["verdict"])))


def _of(action: str, sentence: str) -> dict[str, str]:
    return {"action": action, "sentence": sentence}


def _by_verdict(diff: Document, verdict: Verdict) -> tuple[str, str]:
    if promotes(verdict):
        return "deploy_revised", _promoted(diff, verdict)
    if verdict is Verdict.DIFFERENT:
        return _different(diff)
    if verdict is Verdict.NOT_ERASED:
        return (
            "do_not_deploy",
            "The forgotten images are still recognised, or other images are recognised less than before.",
        )
    if verdict is Verdict.INCONCLUSIVE and _objects(diff):
        return "do_not_deploy", f"A safety check objects: {_worst_sentence(diff, objecting=True)}"
    return "not_known", {
        Verdict.INCONCLUSIVE: "There are too few patients or retrained models to say whether it is good enough.",
        Verdict.TARGET_UNDETERMINED: (
            "Models retrained without the forgotten images do not agree among themselves, or are too few, so there is "
            "nothing firm to compare with."
        ),
    }.get(verdict, "There is no model retrained without the forgotten images, nor a protocol, to compare with.")


def _promoted(diff: Document, verdict: Verdict) -> str:
    if verdict is Verdict.ERASED:
        return (
            "No more of the forgotten images are recognised than the declared limit allows, and on all others it stays "
            "within the declared margins."
        )
    if diff["basis"] == "protocol":
        line = diff["decision"]["protocol"]["document"]["rehearsal"]["line"]
        return (
            "No model was retrained; the method was rehearsed beforehand on cohorts like this one, and every check of "
            f"its protocol passed ({line})."
        )
    if diff["basis"] == "predicted":
        return (
            "No model was retrained; the revised model behaves as a predictor of retraining says, within margins "
            "widened by the predictor's own error."
        )
    judged = sum(not row["guard"] for row in diff["decision"]["endpoints"])
    return (
        "On the forgotten images and on all others it behaves like models that never saw the forgotten ones: all "
        f"{judged} comparisons declared before the run lie within their margins."
    )


def _different(diff: Document) -> tuple[str, str]:
    sentence = (
        f"The revised model does not behave like models that never saw the forgotten images: {_worst_sentence(diff)}"
    )
    if not _retrained_kept(diff):
        return "do_not_deploy", sentence
    number = diff["decision"]["references"]
    return "deploy_retrained", f"{sentence} The {number} retrained models keep what the original can; use one of them."


def _worst_sentence(diff: Document, *, objecting: bool = False) -> str:
    """Return the comparison that is farthest beyond its margin, in plain words."""
    rows = [row for row in diff["decision"]["endpoints"] if row["d"] is not None]
    rows = [row for row in rows if row["guard"] and row["status"] in OBJECTS] if objecting else rows
    if not rows:
        return str(diff["why"][0])
    row = max(rows, key=lambda one: abs(one["d"]) / one["margin"])
    images = "forgotten images" if row["subset"].startswith("forget") else "other images"
    of = "" if row["class"] == "all" else f" labelled {words(row['class'])}"
    others = "retrained models" if diff["basis"] == "reference" else "what it is held against"
    measured = f"probability of {words(row['predicted'])}" if row["predicted"] else MEASURES[row["measure"]]
    return (
        f"on {images}{of}, its {measured} is {share(row['revised'])} and that of {others} {share(row['target'])}, "
        f"where {100 * row['margin']:g} points of difference are allowed."
    )


def _objects(diff: Document) -> bool:
    """Return whether a guard found something; one that is undecided lacks patients or seeds, as endpoints do."""
    return any(row["guard"] and row["status"] in OBJECTS for row in diff["decision"]["endpoints"])


def _retrained_kept(diff: Document) -> bool:
    """Return whether every retrained network keeps the original's balanced accuracy on remain within the margin."""
    row = next((row for row in diff["metrics"] if row["key"] == _KEPT), None)
    if row is None or not row["retrained"] or row["before"]["value"] is None:
        return False
    margin = min(one["margin"] for one in diff["decision"]["declared"]["endpoints"] if one["subset"] == "remain_test")
    values = [one["value"] for one in row["retrained"]]
    return all(value is not None and value >= row["before"]["value"] - margin for value in values)
