from __future__ import annotations

from pathlib import Path

import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.tables.key import Key, pair_keys
from monai_unlearn.index.tables.read_table import SourceTable
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"image_id": Kind.TEXT, "patient": Kind.TEXT, "Rows": Kind.NUMBER}


def test_tables_and_keys_are_paired():
    assert pair_keys([Path("t.csv")], ["a = patient"]) == (Key(Path("t.csv"), "a", "patient"),)
    with pytest.raises(IndexReadError, match="got 1 --table and 0 --key"):
        pair_keys([Path("t.csv")], [])
    for wrong in ("", "=patient", "a="):
        with pytest.raises(IndexReadError, match="expected COLUMN or COLUMN=FIELD"):
            pair_keys([Path("t.csv")], [wrong])


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        (None, ["a.png", "1.2.3"], "file_name"),
        (None, [], "file_name"),
        (None, ["1.2.3", "2.25.7"], "image_id"),
        ("SOPInstanceUID", [], "image_id"),
        ("PatientID", [], "patient"),
        ("file_stem", ["1.2.3"], "file_stem"),
    ],
)
def test_field_is_named_or_found_by_the_values(field, values, expected):
    assert Key(Path("t.csv"), "k", field).field_for(values, KINDS) == expected


@pytest.mark.parametrize(
    ("field", "hint"), [("patiant", "Did you mean 'patient'"), ("Rows", "Only text can be matched")]
)
def test_field_must_be_text_of_the_index(field, hint):
    with pytest.raises(IndexReadError, match=f"--key k={field}: the index has no text field of that name. {hint}"):
        Key(Path("t.csv"), "k", field).field_for([], KINDS)


def test_values_must_be_unique_and_are_not_quoted():
    key = Key(Path("t.csv"), "k")
    key.check_values(["a", None, "b", None])
    with pytest.raises(IndexReadError, match=r"got 2 rows that share one: rows 1, 3 \(counted from 1") as caught:
        key.check_values(["secret", "b", "secret"])
    assert "secret" not in str(caught.value)


def columns(field, *names, key="k"):
    table = SourceTable(Path("t.csv"), dict.fromkeys(names, Kind.TEXT), None, None)
    return Key(Path("t.csv"), key).columns_to_add(table, field, KINDS)


def test_key_is_added_if_its_name_is_free_and_it_adds_information():
    assert columns("file_name", "k", "n") == ["k", "n"]
    assert columns("image_id", "k", "n") == ["n"]
    assert columns("patient", "Patient", "n", key="Patient") == ["n"]


@pytest.mark.parametrize("name", ["rows", "PatientID", "relative", "N"])
def test_name_of_a_column_of_the_index_is_refused(name):
    with pytest.raises(IndexReadError, match=f"the index already has a column named .* Rename the column '{name}'"):
        columns("file_name", "k", "n", name)
