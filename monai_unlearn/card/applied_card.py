"""The CHAI applied model card: XML of schema v0.2 (coalition-for-health-ai/mc-schema), its elements in order."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from monai_unlearn.card.fields import TO_FILL_IN
from monai_unlearn.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMESPACE = "https://mc.chai.org/v0.2/schema.xsd"
# Of each element below the root, those with a text, and what people must say where nothing is known.
_TEXTS: Mapping[str, Mapping[str, str]] = {
    "BasicInfo": {
        "ModelName": "the name of the model",
        "ModelDeveloper": "the developer",
        "DeveloperContact": "contact of the developer",
    },
    "ReleaseInfo": {
        "ReleaseStage": "the stage of the release",
        "ReleaseDate": "the date of the release",
        "ReleaseVersion": "the version",
        "GlobalAvailability": "where it is available",
        "RegulatoryApproval": "regulatory status",
    },
    "ModelSummary": {"Summary": "what the model does"},
    "UsesAndDirections": {
        "IntendedUseAndWorkflow": "intended use",
        "PrimaryIntendedUsers": "intended users and their role in the decision",
        "HowToUse": "directions for use",
        "TargetedPatientPopulation": "intended patients",
        "CautionedOutOfScopeSettings": "uses to be warned of",
    },
    "Warnings": {
        "KnownRisksAndLimitations": "known risks and limitations",
        "KnownBiasesOrEthicalConsiderations": "known biases",
        "ClinicalRiskLevel": "clinical risk level",
    },
    "AISystemFacts": {
        "OutcomesAndOutputs": "what the model returns",
        "ModelType": "the type of the model",
        "InputDataSource": "the source of the data",
        "OutputAndInputDataTypes": "types of data",
        "DevelopmentDataCharacterization": "the data of its development",
        "BiasMitigationApproaches": "fairness process",
        "OngoingMaintenance": "monitoring after release",
        "Transparency": "how it can be checked",
    },
    "TransparencyInformation": {"FundingSource": "funding", "StakeholdersConsulted": "who was consulted"},
    "Resources": {
        "EvaluationReferences": "where its evaluation stands",
        "PeerReviewedPublications": "publications",
        "PatientConsentOrDisclosure": "consent, or notice to patients",
    },
}
_MEASURED = ("UsefulnessUsabilityEfficacy", "FairnessEquity", "SafetyReliability")


@dataclass(frozen=True, kw_only=True)
class KeyMetric:
    """One of the three key metrics of the card.

    Attributes:
        goal: What is aimed at.
        results: A label, a value or None, and its unit, of each figure.
        interpretation: What they mean.
        test: The type of the test.
        data: What it was tested on.
        process: How, and why so.
    """

    goal: str
    results: Sequence[tuple[str, float | None, str]] = ()
    interpretation: str = f"{TO_FILL_IN}: what the figures mean."
    test: str = f"{TO_FILL_IN}: the type of the test."
    data: str = f"{TO_FILL_IN}: the data of the test."
    process: str = f"{TO_FILL_IN}: how it was validated."


@dataclass(frozen=True, kw_only=True)
class AppliedCard:
    """What a card says.

    Attributes:
        texts: The text of elements by their names; what has none says that people must fill it in.
        keywords: The keywords.
        usefulness: The key metric of usefulness.
        fairness: That of fairness.
        safety: That of safety.
        bibliography: The bibliography.
    """

    texts: Mapping[str, str | None]
    usefulness: KeyMetric
    fairness: KeyMetric
    safety: KeyMetric
    keywords: Sequence[str] = field(default=())
    bibliography: str = ""

    def to_xml(self) -> str:
        """Return the XML document."""
        ET.register_namespace("", NAMESPACE)
        root = ET.Element(f"{{{NAMESPACE}}}AppliedModelCard")
        for name in ("BasicInfo", "ReleaseInfo", "ModelSummary", "UsesAndDirections", "Warnings"):
            self._section(root, name)
        words = _below(root[2], "Keywords")
        for one in self.keywords:
            _below(words, "Keyword", one)
        trust = _below(root, "TrustIngredients")
        for name in ("AISystemFacts", "TransparencyInformation"):
            self._section(trust, name)
        measured = _below(root, "KeyMetrics")
        for name, metric in zip(_MEASURED, (self.usefulness, self.fairness, self.safety), strict=True):
            _write_metric(_below(measured, name), metric)
        self._section(root, "Resources")
        _below(root, "Bibliography", self.bibliography)
        ET.indent(root)
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"

    def _section(self, parent: ET.Element, name: str) -> None:
        section = _below(parent, name)
        for element, phrase in _TEXTS[name].items():
            _below(section, element, self.texts.get(element) or f"{TO_FILL_IN}: {phrase}.")


def _below(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    element = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if text is not None:
        element.text = escaped(text)
    return element


def _write_metric(parent: ET.Element, metric: KeyMetric) -> None:
    _below(parent, "MetricGoal", metric.goal)
    results = _below(parent, "Results")
    for label, value, unit in metric.results or [("Not measured", None, "")]:
        result = _below(results, "MetricResult")
        _below(result, "Label", label)
        # As the public example cards write a value.
        _below(result, "ValueJson", json.dumps({"kind": "single", "value": value, "unit": unit}))
    for name, text in (
        ("Interpretation", metric.interpretation),
        ("TestType", metric.test),
        ("TestingDataDescription", metric.data),
        ("ValidationProcessAndJustification", metric.process),
    ):
        _below(parent, name, text)
