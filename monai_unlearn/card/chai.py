"""The CHAI applied model card: XML of schema v0.2 (coalition-for-health-ai/mc-schema), forgetting as the change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from monai_unlearn.card.fields import FIELDS, TO_FILL_IN
from monai_unlearn.card.wording import ACTIONS, difference, estimate, title, words
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Document = Mapping[str, Any]
    Content = str | Sequence[tuple[str, Any]]

NAMESPACE = "https://mc.chai.org/v0.2/schema.xsd"
_FOUND = {field.name: field.found for field in FIELDS}
_TESTED = "Retrospective, on images of one site that were kept apart from training."
_HOW = (
    "Every network predicts the same images; the verdict holds patient means against networks retrained without the "
    "cohort, by margins declared before the run, and model_card_diff.json beside this card has every figure."
)


def to_chai(diff: Document) -> str:
    """Render the card; what only people know says that it is to be filled in, and `gaps.py` lists it."""
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(f"{{{NAMESPACE}}}AppliedModelCard")
    _fill(root, _content(diff))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _fill(parent: ET.Element, content: Content) -> None:
    """Write elements in their order, as the schema's sequences want it."""
    if isinstance(content, str):
        parent.text = escaped(content)
        return
    for name, inner in content:
        _fill(ET.SubElement(parent, f"{{{NAMESPACE}}}{name}"), inner)


def _content(diff: Document) -> Content:
    def found(name: str) -> str:
        return _FOUND[name](diff) or f"{TO_FILL_IN}: {name.lower()}."

    return [
        (
            "BasicInfo",
            [
                ("ModelName", diff["base"]["name"]),
                ("ModelDeveloper", found("Developer")),
                ("DeveloperContact", found("Contact of the developer")),
            ],
        ),
        (
            "ReleaseInfo",
            [
                ("ReleaseStage", f"Revision by unlearning. {ACTIONS[diff['advice']['action']]}."),
                ("ReleaseDate", diff["modification"]["date"]),
                ("ReleaseVersion", f"{diff['revised']['version']}. {found('What changed, and why')}"),
                ("GlobalAvailability", f"{TO_FILL_IN}: where it is available."),
                ("RegulatoryApproval", found("Clinical risk level and regulatory status")),
            ],
        ),
        (
            "ModelSummary",
            [
                ("Summary", " ".join(filter(None, [diff["bundle"].get("description"), diff["advice"]["sentence"]]))),
                ("Keywords", [("Keyword", one) for one in ("MONAI", "unlearning", *diff["class_names"])]),
            ],
        ),
        (
            "UsesAndDirections",
            [
                ("IntendedUseAndWorkflow", found("Intended use")),
                ("PrimaryIntendedUsers", found("Intended users and their role in the decision")),
                ("HowToUse", f"{TO_FILL_IN}: directions for use; they do not change with this revision."),
                ("TargetedPatientPopulation", found("Intended patients")),
                ("CautionedOutOfScopeSettings", found("Uses to be warned of")),
            ],
        ),
        (
            "Warnings",
            [
                (
                    "KnownRisksAndLimitations",
                    f"{found('What changed, and why')} {found('Limits and what is undecided')}",
                ),
                ("KnownBiasesOrEthicalConsiderations", found("Performance by subgroup")),
                ("ClinicalRiskLevel", found("Clinical risk level and regulatory status")),
            ],
        ),
        ("TrustIngredients", _trust(diff, found("Source of the training data"), found("Input data"))),
        ("KeyMetrics", _key_metrics(diff)),
        (
            "Resources",
            [
                ("EvaluationReferences", "model_card_diff.html, model_card_diff.json"),
                (
                    "PeerReviewedPublications",
                    "; ".join([diff["modification"]["method"]["paper"], *diff["bundle"]["references"]]),
                ),
                ("PatientConsentOrDisclosure", found("Consent, or notice to patients")),
            ],
        ),
        ("Bibliography", diff["modification"]["method"]["paper"]),
    ]


def _trust(diff: Document, source: str, data: str) -> Content:
    return [
        (
            "AISystemFacts",
            [
                ("OutcomesAndOutputs", f"One of {len(diff['class_names'])} classes: {', '.join(diff['class_names'])}."),
                ("ModelType", diff["bundle"].get("pred_classes") or "Image classifier."),
                ("InputDataSource", source),
                ("OutputAndInputDataTypes", data),
                ("DevelopmentDataCharacterization", _FOUND["Which data were removed and kept"](diff) or TO_FILL_IN),
                ("BiasMitigationApproaches", f"{TO_FILL_IN}: fairness process."),
                (
                    "OngoingMaintenance",
                    f"Revised by {diff['modification']['method']['name']}. {TO_FILL_IN}: monitoring after release.",
                ),
                ("Transparency", _FOUND["Versions, digests, date"](diff) or TO_FILL_IN),
            ],
        ),
        (
            "TransparencyInformation",
            [
                ("FundingSource", f"{TO_FILL_IN}: funding."),
                ("StakeholdersConsulted", f"{TO_FILL_IN}: who was consulted."),
            ],
        ),
    ]


def _key_metrics(diff: Document) -> Content:
    rows = [row for row in diff["metrics"] if (row["part"], row["split"]) == ("remain", "test")]
    useful = [
        row
        for row in rows
        if row["class"] == "all" and row["metric"] in ("accuracy", "sensitivity", "specificity", "auroc")
    ]
    missed = [row for row in rows if row["metric"] == "false_negatives"]
    forgotten = [row for row in diff["metrics"] if row["key"] == "accuracy/forget/test/all"]
    return [
        (
            "UsefulnessUsabilityEfficacy",
            _metric(
                diff,
                goal="To read the images of patients to come as before, after forgetting.",
                results=list(_results(diff, useful)),
            ),
        ),
        (
            "FairnessEquity",
            _metric(diff, goal="To read the images of each subgroup as before.", results=list(_by_subgroup(diff))),
        ),
        (
            "SafetyReliability",
            _metric(
                diff,
                goal="To forget the cohort as retraining would, without missing more disease.",
                results=list(_results(diff, [*missed, *forgotten])),
            ),
        ),
    ]


def _metric(diff: Document, *, goal: str, results: list[tuple[str, Any]]) -> Content:
    counted = ", ".join(f"{part} {splits.get('test', 0)}" for part, splits in diff["counts"].items())
    none = ("MetricResult", [("Label", "Not measured"), ("ValueJson", _json(None, ""))])
    return [
        ("MetricGoal", goal),
        ("Results", results or [none]),
        ("Interpretation", diff["advice"]["sentence"]),
        ("TestType", _TESTED),
        ("TestingDataDescription", f"Test images by part: {counted}."),
        ("ValidationProcessAndJustification", _HOW),
    ]


def _results(diff: Document, rows: Sequence[Document]) -> Iterator[tuple[str, Any]]:
    for row in rows:
        percent = diff["metric_info"][row["metric"]]["percent"]
        for column, network in (("before", "original"), ("after", "revised")):
            if row[column]["value"] is not None:
                shown = estimate(row[column], percent=percent)
                label = f"{title(row['metric'])}, {words(row['class'])}, {network}: {shown} [{row['key']}]"
                yield _result(label, row[column]["value"], percent=percent)
        if row["change"]["value"] is not None:
            shown = difference(row["change"], percent=percent)
            label = f"{title(row['metric'])}, {words(row['class'])}, change: {shown} [{row['key']}]"
            yield _result(label, row["change"]["value"], percent=percent)


def _by_subgroup(diff: Document) -> Iterator[tuple[str, Any]]:
    for row in diff["subgroups"]["rows"]:
        if row["metric"] != "accuracy" or row["after"]["value"] is None:
            continue
        label = f"Accuracy, {words(row['slice'])} {row['value']}, revised: {estimate(row['after'])} [{row['key']}]"
        yield _result(label, row["after"]["value"], percent=True)


def _result(label: str, value: float, *, percent: bool) -> tuple[str, Any]:
    shown = round(100 * value, 1) if percent else round(value, 3)
    return "MetricResult", [("Label", label), ("ValueJson", _json(shown, "%" if percent else ""))]


def _json(value: float | None, unit: str) -> str:
    """Return a value as the public example cards write it."""
    return json.dumps({"kind": "single", "value": value, "unit": unit})
