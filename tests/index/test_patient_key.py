from __future__ import annotations

import duckdb
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.patient_key import PatientKey

KEYS = ["PatientID", "PatientID,IssuerOfPatientID", "PatientID, InstitutionName, IssuerOfPatientID"]


@pytest.mark.parametrize(
    ("text", "written"),
    list(zip(KEYS, ["1", "1^^^A", "1^^^A^^Eye"], strict=True)),
)
def test_key_is_written_as_hl7_writes_identifiers(text, written):
    assert PatientKey.parse(text).of("1", "A", "Eye") == written


@pytest.mark.parametrize("text", KEYS)
@pytest.mark.parametrize("parts", [("1", "A", "Eye"), ("1", None, "Eye"), ("1", "A", None), ("1", None, None)])
def test_sql_writes_the_same(text, parts):
    key = PatientKey.parse(text)
    statement = f"select {key.sql('id', 'issuer', 'place')} from (values ($1, $2::text, $3::text)) t(id, issuer, place)"  # noqa: S608 - constants
    assert duckdb.execute(statement, parts).fetchone() == (key.of(*parts),)


def test_keys_with_missing_parts_differ():
    key = PatientKey(issuer=True, institution=True)
    assert len({key.of("1", *parts) for parts in [("A", None), (None, "A"), (None, None), ("A", "A")]}) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("PatientID,Issuer", "expected PatientID with IssuerOfPatientID.*got 'Issuer'"),
        ("IssuerOfPatientID", "expected PatientID among the tags, for example PatientID,IssuerOfPatientID"),
        ("", "got ''"),
    ],
)
def test_key_of_other_tags_is_refused(text, message):
    with pytest.raises(IndexReadError, match=message):
        PatientKey.parse(text)
