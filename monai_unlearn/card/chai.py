"""The difference as a CHAI applied model card, with forgetting as the change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monai_unlearn.card.applied_card import AppliedCard, KeyMetric
from monai_unlearn.card.fields import FIELDS, TO_FILL_IN
from monai_unlearn.card.wording import ACTIONS, difference, estimate, title, words
from monai_unlearn.evaluation.label_states import labels_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Document = Mapping[str, Any]
    Result = tuple[str, float | None, str]

_FOUND = {field.name: field.found for field in FIELDS}
_USEFUL = ("accuracy", "sensitivity", "specificity", "auroc")
_HOW = (
    "Every network predicts the same images; the verdict holds patient means against networks retrained without the "
    "cohort, by margins declared before the run, and model_card_diff.json beside this card has every figure."
)


def to_chai(diff: Document) -> str:
    """Render the card; what only people know says that it is to be filled in, and `gaps.py` lists it."""
    rows = [row for row in diff["metrics"] if (row["part"], row["split"]) == ("remain", "test")]
    forgotten = [row for row in diff["metrics"] if row["key"] == "accuracy/forget/test/all"]
    useful = [row for row in rows if row["class"] == "all" and row["metric"] in _USEFUL]
    missed = [row for row in rows if row["metric"] == "false_negatives"]
    counted = ", ".join(f"{part} {splits.get('test', 0)}" for part, splits in diff["counts"].items())
    metric = KeyMetric(
        goal="To read the images of patients to come as before, after forgetting.",
        results=list(_results(diff, useful)),
        interpretation=diff["advice"]["sentence"],
        test="Retrospective, on images of one site that were kept apart from training.",
        data=f"Test images by part: {counted}.",
        process=_HOW,
    )
    paper = diff["modification"]["method"]["paper"]
    return AppliedCard(
        texts=_texts(diff),
        keywords=("MONAI", "unlearning", *diff["class_names"]),
        usefulness=metric,
        fairness=replace(
            metric, goal="To read the images of each subgroup as before.", results=list(_by_subgroup(diff))
        ),
        safety=replace(
            metric,
            goal="To forget the cohort as retraining would, without missing more disease.",
            results=list(_results(diff, [*missed, *forgotten])),
        ),
        bibliography="; ".join([paper, *diff["bundle"].get("references", [])]),
    ).to_xml()


def _texts(diff: Document) -> dict[str, str | None]:
    found = {name: content(diff) for name, content in _FOUND.items()}
    bundle, method, change = diff["bundle"], diff["modification"]["method"], found["What changed, and why"]
    return {
        "ModelName": diff["base"]["name"],
        "ModelDeveloper": found["Developer"],
        "ReleaseStage": f"Revision by unlearning. {ACTIONS[diff['advice']['action']]}.",
        "ReleaseDate": diff["modification"]["date"],
        "ReleaseVersion": f"{diff['revised']['version']}. {change}",
        "Summary": " ".join(filter(None, [bundle.get("description"), diff["advice"]["sentence"]])),
        "IntendedUseAndWorkflow": found["Intended use"],
        "HowToUse": f"{TO_FILL_IN}: directions for use; they do not change with this revision.",
        "KnownRisksAndLimitations": f"{change} {found['Limits and what is undecided']}",
        "KnownBiasesOrEthicalConsiderations": found["Performance by subgroup"],
        "OutcomesAndOutputs": _outputs(diff["class_names"]),
        "ModelType": bundle.get("pred_classes"),
        "InputDataSource": found["Source of the training data"],
        "OutputAndInputDataTypes": found["Input data"],
        "DevelopmentDataCharacterization": found["Which data were removed and kept"],
        "OngoingMaintenance": f"Revised by {method['name']}. {TO_FILL_IN}: monitoring after release.",
        "Transparency": found["Versions, digests, date"],
        "EvaluationReferences": "model_card_diff.html, model_card_diff.json",
        "PeerReviewedPublications": method["paper"],
    }


def _results(diff: Document, rows: Iterable[Document]) -> Iterator[Result]:
    for row in rows:
        percent, name = diff["metric_info"][row["metric"]]["percent"], f"{title(row['metric'])}, {words(row['class'])}"
        shown = {
            "original": (row["before"], estimate(row["before"], percent=percent)),
            "revised": (row["after"], estimate(row["after"], percent=percent)),
            "change": (row["change"], difference(row["change"], percent=percent)),
        }
        for what, (measured, text) in shown.items():
            if measured["value"] is not None:
                yield _result(f"{name}, {what}: {text} [{row['key']}]", measured["value"], percent=percent)


def _by_subgroup(diff: Document) -> Iterator[Result]:
    for row in diff["subgroups"]["rows"]:
        if row["metric"] == "accuracy" and row["after"]["value"] is not None:
            label = f"Accuracy, {words(row['slice'])} {row['value']}, revised: {estimate(row['after'])} [{row['key']}]"
            yield _result(label, row["after"]["value"], percent=True)


def _result(label: str, value: float, *, percent: bool) -> Result:
    return (label, round(100 * value, 1), "%") if percent else (label, round(value, 3), "")


def _outputs(class_names: Sequence[str]) -> str:
    """Return what the network tells of an image."""
    labels = labels_in(class_names)
    if len(labels) > 1:
        return f"Of each of {len(labels)} labels, whether the image has it: {', '.join(labels)}."
    return f"One of {len(class_names)} classes: {', '.join(class_names)}."
