from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from card_example import CLOSE, FULL, build, rich

from monai_unlearn.card.applied_card import NAMESPACE
from monai_unlearn.card.chai import to_chai

CARDS = {"rich": rich(), "bare": build(original=FULL, revised=CLOSE)}
SPACE = {"c": NAMESPACE}


@pytest.fixture(scope="module")
def schema():
    folder = os.environ.get("MONAI_UNLEARN_STANDARDS")
    if not folder:
        pytest.skip("MONAI_UNLEARN_STANDARDS is not set: the schema of CHAI's card is not at hand")
    xmlschema = pytest.importorskip("xmlschema", reason="xmlschema is missing")
    # The schema imports that of XML signatures by an address; xmlschema has a copy of its own.
    return xmlschema.XMLSchema(Path(folder) / "chai" / "schema-0.2.xsd", allow="local")


def parsed(diff):
    return ET.fromstring(to_chai(diff).encode())  # noqa: S314 - made here


@pytest.mark.parametrize("name", list(CARDS))
def test_it_is_valid_against_the_schema(schema, name):
    schema.validate(to_chai(CARDS[name]))


def test_a_card_that_lacks_an_element_is_not_valid(schema):
    text = to_chai(CARDS["bare"])
    assert not schema.is_valid(text.replace("ReleaseDate>", "ReleaseDay>"))


def test_the_public_example_is_valid_too(schema):
    folder = Path(os.environ["MONAI_UNLEARN_STANDARDS"]) / "chai"
    schema.validate(str(folder / "example-0.2.xml"))


def test_forgetting_is_a_change_in_release_warnings_and_metrics():
    root = parsed(CARDS["rich"])
    change = "Version 1.1.0 forgets 10 images of 10 patients that version 1.0.0 learned from"
    assert change in root.findtext("c:ReleaseInfo/c:ReleaseVersion", namespaces=SPACE)
    assert change in root.findtext("c:Warnings/c:KnownRisksAndLimitations", namespaces=SPACE)
    labels = [one.text for one in root.findall(".//c:SafetyReliability//c:Label", SPACE)]
    assert any(label.startswith("Accuracy, all, change: -40.0 (") for label in labels)
    assert any(label.endswith("[false_negatives/remain/test/b]") for label in labels)


def test_values_are_those_of_the_difference():
    diff = CARDS["rich"]
    root = parsed(diff)
    found = {
        one.findtext("c:Label", namespaces=SPACE): json.loads(one.findtext("c:ValueJson", namespaces=SPACE))
        for one in root.findall(".//c:MetricResult", SPACE)
    }
    label = next(one for one in found if one.startswith("Accuracy, all, revised") and "/remain/" in one)
    assert found[label] == {"kind": "single", "value": 88.0, "unit": "%"}


def test_without_subgroups_there_is_a_result_all_the_same():
    labels = [one.text for one in parsed(CARDS["bare"]).findall(".//c:FairnessEquity//c:Label", SPACE)]
    assert labels == ["Not measured"]


def test_hostile_texts_stay_texts():
    diff = copy.deepcopy(CARDS["bare"])
    diff["base"]["name"] = "<b>&\x1b[31m"
    assert parsed(diff).findtext("c:BasicInfo/c:ModelName", namespaces=SPACE) == "<b>&\\x1b[31m"
