from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from cohort_index import make_index

from monai_unlearn.cohort.query import identity
from monai_unlearn.cohort.query.identity import Units, identity_of
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture(autouse=True)
def _nothing_kept():
    identity._KEPT.clear()


def no_text(column):
    raise AssertionError(column)


def test_a_unit_is_read_when_it_is_first_asked_for(tmp_path, monkeypatch):
    index = make_index(tmp_path, {"patient": ["p", "q", "p"], "study": ["s", None, " "]}, {})
    read = []
    stored = identity.stored
    monkeypatch.setattr(
        identity, "stored", lambda index, names, **more: read.extend(names) or stored(index, names, **more)
    )
    units = Units(index)
    assert (list(units), len(units), read) == (["series", "study", "patient"], 3, [])
    assert units["patient"].codes.tolist() == [0, 1, 0]
    assert units["patient"] is units["patient"]
    assert units["study"].codes.tolist()[1:] == [-1, -1]
    assert read == ["patient", "study"]
    with pytest.raises(KeyError, match="device"):
        units["device"]


@pytest.mark.parametrize("label", ["image_id", "fault", "device"])
def test_any_column_may_be_the_label(tmp_path, label):
    index = make_index(
        tmp_path, {"device": ["a", None, "a"], "fault": [None, None, "truncated"]}, {"device": Kind.TEXT}
    )
    found = identity.identity_of(replace(index, label=label), no_text)
    values = index.frame([label])[label].dropna()
    assert found.label.names == tuple(dict.fromkeys(values))
    assert [found.label.names[code] for code in found.label.codes if code >= 0] == values.tolist()


def test_each_row_is_an_image_of_its_own(tmp_path):
    columns = {"image_id": ["b", "a", "b"], "fault": [None, None, "duplicate_sop_instance_uid"]}
    found = identity_of(make_index(tmp_path, columns, {}), no_text)
    assert found.image.codes.tolist() == [0, 1, 2]
    assert found.image.texts.to_pylist() == ["b", "a", "b"]
    assert found.readable.tolist() == [True, True, False]


def test_what_is_readable_cannot_be_written_to(tmp_path):
    found = identity_of(make_index(tmp_path, {"image_id": ["a", "b"]}, {}), no_text)
    with pytest.raises(ValueError, match="read-only"):
        found.readable[0] = False


def test_classes_that_are_no_texts_are_asked_for_as_texts(tmp_path):
    columns = {"StudyDate": [dt.date(2019, 1, 31), None]}
    index = make_index(tmp_path, columns, {"StudyDate": Kind.DATE}, label="StudyDate")
    found = identity_of(index, lambda column: pa.chunked_array([[column, None]]))
    assert found.label.names[found.label.codes[0]] == "StudyDate"
    assert found.label.codes[1] == -1


def test_values_are_counted_once_for_a_mask_that_cannot_change(tmp_path, monkeypatch):
    index = make_index(tmp_path, {"patient": ["p", "q", "p"], "fault": [None, "unreadable", None]}, {})
    found = identity_of(index, no_text)
    patient = found.units["patient"]
    assert (patient.present, patient.distinct(found.readable)) == (2, 1)
    monkeypatch.setattr(type(patient), "among", None)
    assert (patient.present, patient.distinct(found.readable)) == (2, 1)
    with pytest.raises(TypeError):
        patient.distinct(np.array(found.readable))
