from __future__ import annotations

import json
from pathlib import Path

from monai_unlearn.index.build_report import BuildReport
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.scan.plan import FileCounts
from monai_unlearn.index.store.store import Index
from monai_unlearn.vocabulary.fields import Kind

REPORT = BuildReport(
    index=Index(Path("/i"), "sha256:1", {"image_id": Kind.TEXT}, "eye", (), images=3, rows=5, units={"width": "mm"}),
    patients=2,
    without_patient=1,
    formats={"dicom": 3},
    faults={Fault.TRUNCATED: (2, "/d/cut.dcm"), Fault.MISSING_PATIENT_ID: (1, "/d/orphan.dcm")},
    ignored=4,
    matches=(),
    measures=(),
    label_found=True,
    patient_from="PatientID",
    files=FileCounts(added=5),
)


def test_document_has_every_count():
    document = REPORT.document()
    assert json.loads(json.dumps(document)) == document
    assert document["faults"] == {
        "truncated": {"count": 2, "example": "/d/cut.dcm", "usable": False},
        "missing_patient_id": {"count": 1, "example": "/d/orphan.dcm", "usable": True},
    }
    assert document["files"] == {"added": 5, "changed": 0, "moved": 0, "resumed": 0, "reused": 0, "vanished": 0}
    chosen = ("index", "digest", "images", "rows", "patients", "images_without_patient", "ignored", "label", "units")
    assert [document[name] for name in chosen] == ["/i", "sha256:1", 3, 5, 2, 1, 4, "eye", {"width": "mm"}]
