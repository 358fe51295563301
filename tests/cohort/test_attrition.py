from __future__ import annotations

from monai_unlearn.cohort.attrition import AttritionRow, as_text

ROW = AttritionRow(
    rule="device == x", images_in=1200, images_out=7, studies_in=3, studies_out=2, patients_in=2, patients_out=1
)


def test_a_row_is_plain_values_in_one_order():
    assert list(ROW.to_dict()) == [
        "rule",
        "images_in",
        "images_out",
        "studies_in",
        "studies_out",
        "patients_in",
        "patients_out",
    ]


def test_rows_line_up():
    assert as_text([ROW]) == "       1200 → 7         device == x"
