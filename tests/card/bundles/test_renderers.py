from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from two_bundles import weights, write_bundle

from monai_unlearn.card.applied_card import NAMESPACE
from monai_unlearn.card.bundles.compare import compare_bundles
from monai_unlearn.card.bundles.read import read_bundle
from monai_unlearn.card.bundles.renderers import FORMATS, bundle_as, difference_as


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    root = tmp_path_factory.mktemp("pair")
    metadata = {"version": "1.1.0", "eval_metrics": {"mean_dice": 0.8}, "name": "<b>Lungs|</b>"}
    return write_bundle(root / "a"), write_bundle(root / "b", metadata=metadata, state=weights(0.5))


def test_markdown_and_html_have_the_same_tables(pair):
    document = compare_bundles(*pair)
    markdown, page = difference_as("md", document), difference_as("html", document)
    assert markdown.startswith("# Lungs 1.0.0 → \\<b\\>Lungs\\|\\</b\\> 1.1.0\n\n1 material change.\n")
    assert "| second.weight | 4 | 1 | 0.25 |" in markdown
    assert '<th scope="row">second.weight</th>' in page
    assert "<b>" not in page
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page


def test_json_is_the_document(pair):
    document = compare_bundles(*pair)
    assert json.loads(difference_as("json", document)) == document


def test_chai_has_the_change_in_its_release(pair):
    root = ET.fromstring(difference_as("chai", compare_bundles(*pair)).encode())  # noqa: S314 - made here
    release = root.findtext(f"{{{NAMESPACE}}}ReleaseInfo/{{{NAMESPACE}}}ReleaseVersion")
    assert release == "1.1.0. 1 material change. models/model.pt is another file."
    labels = [one.text for one in root.iter(f"{{{NAMESPACE}}}Label")]
    assert labels == ["mean_dice", "Not measured", "Not measured"]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_single_bundle_is_shown_in_every_format(pair, kind):
    text = bundle_as(kind, read_bundle(pair[0]))
    assert "Lungs" in text
    assert "Reading lungs" in text
