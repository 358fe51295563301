from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.assemble import Duplicates, collect
from monai_unlearn.index.build_request import BuildRequest
from monai_unlearn.index.compose import Composition
from monai_unlearn.index.fast_readers import schema
from monai_unlearn.index.faults import Fault
from monai_unlearn.index.identities import Identities
from monai_unlearn.index.listing import Listed
from monai_unlearn.index.measures.labels import MaskLabels
from monai_unlearn.index.scan.extra_tags import FoundTags
from monai_unlearn.index.scan.plan import FileCounts
from monai_unlearn.index.scan.spool import as_table
from monai_unlearn.index.scan.workspace import Workspace
from monai_unlearn.index.store.digest import engine
from monai_unlearn.index.tables.key import Key

ROWS = [
    {"path": "/d/a.dcm", "format": "dicom", "SOPInstanceUID": "1.1", "PatientID": "P1", "SliceThickness": 2.5},
    {"path": "/d/b.dcm", "format": "dicom", "SOPInstanceUID": "1.1", "PatientID": "P1"},
    {"path": "/d/c.dcm", "format": "dicom", "SOPInstanceUID": "1.3"},
    {"path": "/d/d.png", "format": "image"},
    {"path": "/d/notes.txt", "fault": "not_an_image", "faults": "not_an_image"},
]


@pytest.fixture
def compose(tmp_path):
    """Compose the index of these rows; the second file is a duplicate of the first."""

    def run(**options):
        request = BuildRequest(sources=(tmp_path,), out=tmp_path / "index", **options)
        listed = [Listed(path=row["path"], relative=row["path"][3:]) for row in ROWS]
        with Workspace(request.out, {}) as space:
            batches = [(as_table(listed), pa.Table.from_pylist(ROWS, schema=schema()))]
            collected = collect(batches, files=space.stage / "files.parquet", ids=space.folder / "ids.parquet", mark={})
            composition = Composition(request, 3, collected, FileCounts(added=5), Identities(), FoundTags())
            duplicates = Duplicates(np.array([1]), np.array([], int))
            with engine(space.folder) as connection:
                return composition.finish(space, duplicates, MaskLabels(), iter, connection=connection)

    return run


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,subject,width,label\na.dcm,T1,3,x\nd.png,T2,4,y\n", encoding="utf-8")
    return Key(path, "name")


def test_rows_become_an_index_with_counts(compose):
    report = compose()
    frame = report.index.frame()
    assert frame["image_id"].tolist()[:3] == ["1.1", "1.1", "1.3"]
    faults = [None, "duplicate_sop_instance_uid", "missing_patient_id", None]
    assert frame["fault"].astype(object).where(frame["fault"].notna(), None).tolist() == faults
    assert (report.patients, report.without_patient, report.patient_from) == (1, 2, "PatientID")
    assert report.formats == {"dicom": 2, "image": 1}
    assert report.faults == {
        Fault.DUPLICATE_SOP_INSTANCE_UID: (1, "/d/b.dcm"),
        Fault.MISSING_PATIENT_ID: (1, "/d/c.dcm"),
    }
    assert report.ignored == 3  # two entries that are not files, and the notes
    assert report.index.units["SliceThickness"] == "mm"
    assert report.files.added == 5


def test_table_brings_columns_patients_units_and_the_label(compose, key):
    report = compose(keys=(key,), units={"width": "mm"})
    frame = report.index.frame(["patient", "width", "label"])
    assert frame["patient"].fillna("-").tolist() == ["P1", "P1", "-", "T2"]
    assert frame["width"].fillna(-1).tolist() == [3, -1, -1, 4]
    assert (report.index.label, report.label_found) == ("label", True)
    assert report.patient_from == "PatientID, subject"
    assert report.index.units["width"] == "mm"
    assert report.matches[0].matched_rows == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": {"widht": "mm"}}, "--unit widht=…: no table has this column"),
        ({"label": "lable"}, "--label lable: the index has no such column"),
        ({"patient": "subjct"}, "--patient subjct: no table has this column"),
    ],
)
def test_option_about_an_unknown_column_is_refused_and_nothing_is_left(options, message, compose, key, tmp_path):
    with pytest.raises(IndexReadError, match=message):
        compose(keys=(key,), **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv"]
