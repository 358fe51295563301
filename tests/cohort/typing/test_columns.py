from __future__ import annotations

import pytest

from monai_unlearn.cohort.typing.columns import Columns, has_several
from monai_unlearn.index.store.schema import BASE_COLUMNS
from monai_unlearn.vocabulary.fields import Kind, vocabulary


def test_any_index_may_have_its_own_columns_and_those_of_dicom():
    columns = Columns.of_any_index()
    assert columns.kinds.keys() == BASE_COLUMNS.keys() | vocabulary().dicom.keys() | vocabulary().derived.keys()
    assert columns.kinds["PatientAge"] is Kind.AGE
    assert columns.units["SliceThickness"] == "mm"
    assert columns.listing is None


@pytest.mark.parametrize(
    ("column", "kind", "several"),
    [
        ("ImageType", Kind.TEXT, True),
        ("SliceThickness", Kind.NUMBER, True),
        ("EchoTime", Kind.NUMBER, True),
        ("EchoTime", Kind.DATETIME, True),
        ("several_values", Kind.TEXT, True),
        ("PatientAge", Kind.AGE, False),
        ("StudyDate", Kind.DATE, False),
        ("score", Kind.NUMBER, False),
        ("site", Kind.TEXT, False),
    ],
)
def test_tags_may_have_several_values_but_not_of_ages_and_the_dates_of_every_index(column, kind, several):
    assert has_several(column, kind, frozenset(("EchoTime",))) is several
