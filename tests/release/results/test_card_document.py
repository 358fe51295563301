from __future__ import annotations

import shutil

import pytest
from dicom_check import faults
from release_example import write_release

from monai_unlearn.errors import ConfigError, InputError
from monai_unlearn.release.results import card_document as module
from monai_unlearn.release.results.card_document import BROWSERS, card_document


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_release(tmp_path_factory.mktemp("release") / "bundle")


def test_a_text_report(bundle, tmp_path):
    found = card_document(bundle, form="text")
    text = "\n".join(item.TextValue for item in found.ContentSequence)
    for line in (bundle / "docs" / "model_card_diff.md").read_text(encoding="utf-8").splitlines():
        assert line.strip() in text
    assert (found.Modality, found.SoftwareVersions, found.PatientID) == ("SR", "1.1.0", "MODEL-Some")
    assert faults(found, tmp_path / "card.dcm", kind="BasicTextSR")["Error"] == []


def test_a_pdf_is_encapsulated(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "printed", lambda _: b"%PDF-1.7")
    found = card_document(bundle, form="pdf")
    assert (found.Modality, found.EncapsulatedDocument[:5], found.EncapsulatedDocumentLength) == ("DOC", b"%PDF-", 8)
    assert faults(found, tmp_path / "card.dcm", kind="EncapsulatedPDF")["Error"] == []
    assert card_document(bundle, form="pdf").SOPInstanceUID == found.SOPInstanceUID


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no Chromium that could print the card")
def test_a_browser_prints_the_card(bundle):
    assert module.printed(bundle / "docs" / "model_card_diff.html").startswith(b"%PDF-")


def test_what_is_refused(bundle, monkeypatch, tmp_path):
    with pytest.raises(ConfigError, match="--card: expected one of pdf, text"):
        card_document(bundle, form="docx")
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="to print the card, found none. Install one, or send --card text"):
        card_document(bundle, form="pdf")
    bare = shutil.copytree(bundle, tmp_path / "bundle")
    (bare / "docs" / "model_card_diff.md").unlink()
    with pytest.raises(InputError, match="only a revised bundle has a model card"):
        card_document(bare, form="text")


def test_a_browser_that_prints_nothing(bundle, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda _: "/bin/true")
    with pytest.raises(InputError, match="printed no PDF"):
        module.printed(bundle / "docs" / "model_card_diff.html")
