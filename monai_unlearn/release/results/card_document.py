"""A model card for the quality archive: as an encapsulated PDF, or as a Basic Text SR.

A card is of no patient. It gets a study of its own under an identifier that is that of the model.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import InputError, check_choice
from monai_unlearn.release.bundle_info import BundleInfo
from monai_unlearn.release.results.mark import require_highdicom

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

FORMS = ("pdf", "text")
HTML, MARKDOWN = "docs/model_card_diff.html", "docs/model_card_diff.md"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MANUFACTURER = "monai_unlearn"
_PDF_CLASS, _TEXT_CLASS = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.88.11"
_NAMESPACE = uuid.UUID("6a1f5e0c-2a55-5c3e-8f5d-5b6f0f6c7a21")
_SECONDS = 120
# No scheme has a code for a model card; private schemes begin with 99 (PS3.16 section 8.2).
_TITLE = ("CARD", "99MUNLEARN", "Model card")
_LINES_AT_ONCE = 40


def card_document(bundle: Path, *, form: str) -> Dataset:
    """Return the card of a bundle as a DICOM document.

    Sent again, the same card of the same version has the same identifiers.

    Args:
        bundle: The revised bundle.
        form: `pdf` or `text`.

    Raises:
        InputError: The bundle has no card, or no browser can print it.
        ConfigError: There is no such form, or no bundle.
    """
    check_choice(form, FORMS, name="--card")
    info = BundleInfo.read(bundle)
    source = bundle / (HTML if form == "pdf" else MARKDOWN)
    if not source.is_file():
        raise InputError(f"{source} is missing: only a revised bundle has a model card.")
    document = _frame(info, kind=_PDF_CLASS if form == "pdf" else _TEXT_CLASS, content=source.read_bytes())
    if form == "pdf":
        _add_pdf(document, printed(source), info)
    else:
        _add_text(document, source.read_text(encoding="utf-8"), info)
    return document


def printed(html: Path) -> bytes:
    """Return a page as PDF, printed by a browser of this machine, which loads nothing from elsewhere.

    Raises:
        InputError: There is no such browser, or it fails.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise InputError(
            f"--card pdf: expected one of {', '.join(BROWSERS)} to print the card, found none. Install one, or send "
            "--card text."
        )
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "card.pdf"
        words = [browser, "--headless", "--disable-gpu", "--no-pdf-header-footer", "--host-rules=MAP * ~NOTFOUND"]
        # The sandbox of Chromium does not start for root, as whom containers run.
        words += ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
        words += [f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}", html.resolve().as_uri()]
        try:
            subprocess.run(words, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603 - no shell
        except subprocess.TimeoutExpired:
            raise InputError(f"--card pdf: {browser} took longer than {_SECONDS} seconds. Send --card text.") from None
        content = target.read_bytes() if target.is_file() else b""
    if not content.startswith(b"%PDF-"):
        raise InputError(f"--card pdf: {browser} printed no PDF. Try it by hand, or send --card text.")
    return content


def _frame(info: BundleInfo, *, kind: str, content: bytes) -> Dataset:
    """Return what both documents share: patient, study, series and equipment (PS3.3 annex A)."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    def identifier(what: str) -> UID:
        named = f"{what}\0{info.name}\0{info.version}\0"
        return UID(f"2.25.{uuid.uuid5(_NAMESPACE, named + kind + str(uuid.uuid5(_NAMESPACE, content.hex()))).int}")

    now = datetime.now(timezone.utc).astimezone()
    document = Dataset()
    document.file_meta = FileMetaDataset()
    document.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    document.file_meta.MediaStorageSOPClassUID = document.SOPClassUID = UID(kind)
    document.file_meta.MediaStorageSOPInstanceUID = document.SOPInstanceUID = identifier("instance")
    document.SpecificCharacterSet = "ISO_IR 192"
    document.PatientName, document.PatientID = "Model card", f"MODEL-{info.name}"[:64]
    document.PatientBirthDate = document.PatientSex = ""
    document.StudyInstanceUID, document.SeriesInstanceUID = identifier("study"), identifier("series")
    document.StudyID, document.AccessionNumber, document.ReferringPhysicianName = "1", "", ""
    document.StudyDescription = f"Revision of {info.name} {info.version}"[:64]
    document.SeriesNumber = document.InstanceNumber = 1
    document.Manufacturer, document.ManufacturerModelName = MANUFACTURER, info.name[:64]
    document.DeviceSerialNumber, document.SoftwareVersions = info.version, info.version
    document.StudyDate = document.ContentDate = now.strftime("%Y%m%d")
    document.StudyTime = document.ContentTime = now.strftime("%H%M%S")
    document.AcquisitionDateTime = now.strftime("%Y%m%d%H%M%S")
    return document


def _add_pdf(document: Dataset, content: bytes, info: BundleInfo) -> None:
    """Add the encapsulated document (PS3.3 section C.24.2)."""
    document.Modality, document.ConversionType, document.BurnedInAnnotation = "DOC", "WSD", "NO"
    document.DocumentTitle = f"Model card of {info.name} {info.version}"
    document.ConceptNameCodeSequence = []
    document.MIMETypeOfEncapsulatedDocument = "application/pdf"
    document.EncapsulatedDocumentLength = len(content)
    document.EncapsulatedDocument = content + b"\0" * (len(content) % 2)


def _add_text(document: Dataset, text: str, info: BundleInfo) -> None:
    """Add the content of a Basic Text SR (PS3.3 section A.35.1): the lines of the card, some in each item."""
    require_highdicom("Text reports")
    import highdicom as hd

    del document.AcquisitionDateTime
    lines = [line for line in text.splitlines() if line.strip()]
    parts = ["\r\n".join(lines[at : at + _LINES_AT_ONCE]) for at in range(0, len(lines), _LINES_AT_ONCE)]
    concept = hd.sr.CodedConcept("121071", "DCM", "Finding")
    container = hd.sr.ContainerContentItem(name=hd.sr.CodedConcept(*_TITLE))
    container.ContentSequence = hd.sr.ContentSequence(
        [hd.sr.TextContentItem(name=concept, value=part, relationship_type="CONTAINS") for part in parts]
    )
    for element in container:
        document.add(element)
    document.Modality, document.SeriesDescription = "SR", f"Model card of {info.name} {info.version}"[:64]
    document.ReferencedPerformedProcedureStepSequence = []
    document.PerformedProcedureCodeSequence = []
    document.CompletionFlag, document.VerificationFlag = "COMPLETE", "UNVERIFIED"
