from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.query.answers import CategoricalColumn
from monai_unlearn.cohort.resolve.missing_identifier import lacks_identifier, patients_of
from monai_unlearn.vocabulary.fields import Kind


def test_rows_without_a_code_lack_the_identifier():
    column = CategoricalColumn(np.array([0, -1, 1, -1]), pa.array(["a", "b"]))
    assert lacks_identifier(column).tolist() == [False, True, False, True]


@pytest.mark.parametrize("empty", [None, "", " ", "\t ", "\u00a0"])
def test_white_space_is_not_a_patient_in_frames_and_in_queries(tmp_path, empty):
    patients = patients_of(pd.DataFrame({"patient": ["p", empty]}, index=[7, 3]))
    assert patients.index.tolist() == [7, 3]
    assert patients.isna().tolist() == [False, True]
    columns = {"device": ["old", "new"], "patient": ["p", empty]}
    answers = make_spec("device == old").resolve(make_index(tmp_path, columns, {"device": Kind.TEXT})).answers
    assert lacks_identifier(answers.units["patient"]).tolist() == [False, True]
