from __future__ import annotations

import pyarrow as pa

from monai_unlearn.index.derived import derived_rows, with_image_like

CT, SEG, SR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.88.33"


def text(*values):
    return pa.array(values, pa.string())


def test_only_derived_objects_with_pixels_become_images():
    faults = text(None, "derived_object", "derived_object", "derived_object\\truncated")
    rows = pa.table({"SOPClassUID": text(CT, SEG, SR, SEG), "fault": faults, "faults": faults})
    found = with_image_like(rows)
    assert found["fault"].to_pylist() == [None, None, "derived_object", "truncated"]


def test_sop_class_decides_and_the_modality_where_there_is_none():
    rows = pa.table({"SOPClassUID": text(CT, SEG, None, None, SR), "Modality": text("SEG", "CT", "SEG", "CT", None)})
    assert derived_rows(rows, included=False).to_pylist() == [False, True, True, False, True]
    assert derived_rows(rows, included=True).to_pylist() == [False, False, False, False, True]


def test_table_may_lack_either_column():
    assert derived_rows(pa.table({"Modality": text("RTDOSE", "SR", "MR", None)}), included=False).to_pylist() == [
        True,
        True,
        False,
        False,
    ]
    assert derived_rows(pa.table({"SOPClassUID": text(SEG, CT)}), included=False).to_pylist() == [True, False]
    assert derived_rows(pa.table({"x": text("SEG")}), included=False).to_pylist() == [False]
