from __future__ import annotations

from monai_unlearn.cohort.typing.columns import Columns
from monai_unlearn.index.store.schema import BASE_COLUMNS
from monai_unlearn.vocabulary.fields import Kind, vocabulary


def test_any_index_may_have_its_own_columns_and_those_of_dicom():
    columns = Columns.of_any_index()
    assert columns.kinds.keys() == BASE_COLUMNS.keys() | vocabulary().dicom.keys() | vocabulary().derived.keys()
    assert columns.kinds["PatientAge"] is Kind.AGE
    assert columns.units["SliceThickness"] == "mm"
    assert columns.listing is None
