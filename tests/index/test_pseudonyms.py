from __future__ import annotations

import hashlib
import hmac

import pyarrow as pa
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.pseudonyms import Pseudonyms, domain_of
from monai_unlearn.index.readers import file_columns
from monai_unlearn.index.tables.key import Key
from monai_unlearn.index.tables.read_table import read_table
from monai_unlearn.vocabulary.fields import Kind

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def pseudonyms() -> Pseudonyms:
    return Pseudonyms(KEY)


def test_pseudonym_is_the_hmac_of_its_domain_and_identifier(pseudonyms):
    expected = hmac.new(KEY, b"patient\0P1", hashlib.sha256).hexdigest()
    assert pseudonyms.of("patient", "P1") == expected
    assert pseudonyms.of("accession", "P1") != expected
    assert Pseudonyms(KEY + b"x").of("patient", "P1") != expected


def test_key_is_never_printed(pseudonyms):
    assert "0123" not in repr(pseudonyms)
    assert pseudonyms.fingerprint != Pseudonyms(KEY + b"x").fingerprint
    assert len(pseudonyms.fingerprint) == 16


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("PatientID", "patient"),
        ("patient", "patient"),
        ("patient_id", "patient"),
        ("subject_id", "patient"),
        ("MRN", "patient"),
        ("StudyInstanceUID", "study"),
        ("study", "study"),
        ("StudyID", "study"),
        ("AccessionNumber", "accession"),
        ("accession", "accession"),
        ("PatientAge", None),
        ("PatientSex", None),
        ("StudyDate", None),
        ("StudyDescription", None),
        ("SeriesInstanceUID", None),
        ("label", None),
    ],
)
def test_name_of_a_column_shows_what_it_identifies(name, domain):
    assert domain_of(name) == domain


def test_rows_lose_their_identifiers_and_nothing_else(pseudonyms):
    rows = pa.table(
        {
            "path": ["/a", "/b", "/c"],
            "PatientID": ["P1", None, "P1"],
            "StudyInstanceUID": ["1.2", "1.3", None],
            "SeriesInstanceUID": ["1.4", "1.5", "1.6"],
            "AccessionNumber": ["A1", "A2", None],
        }
    )
    found = pseudonyms.rows(rows)
    assert found.column_names == rows.column_names
    assert found.schema == rows.schema
    assert found["PatientID"].to_pylist() == [pseudonyms.of("patient", "P1"), None, pseudonyms.of("patient", "P1")]
    assert found["StudyInstanceUID"].to_pylist()[:2] == [pseudonyms.of("study", "1.2"), pseudonyms.of("study", "1.3")]
    assert found["AccessionNumber"].to_pylist()[2] is None
    kept = ["path", "SeriesInstanceUID"]
    assert found.select(kept) == rows.select(kept)


def test_every_identifier_that_a_reader_reads_is_replaced():
    identifying = {name for name in file_columns() if domain_of(name)}
    assert identifying == {"PatientID", "StudyInstanceUID"}
    assert not {name for name in file_columns() if "Name" in name and name.startswith("Patient")}
    assert not {name for name in file_columns() if "Birth" in name}


def test_identifiers_of_tables_get_the_pseudonyms_of_those_of_files(pseudonyms, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("file,patient_id,owner,age\na,007,x,5\nb,8,y,6\n", encoding="utf-8")
    found = pseudonyms.table(read_table(path), patient="owner")
    assert found.kinds == {"file": Kind.TEXT, "patient_id": Kind.TEXT, "owner": Kind.TEXT, "age": Kind.NUMBER}
    assert found.typed["patient_id"].to_pylist() == [pseudonyms.of("patient", "007"), pseudonyms.of("patient", "8")]
    assert found.texts["owner"].to_pylist() == [pseudonyms.of("patient", "x"), pseudonyms.of("patient", "y")]
    assert found.texts["file"].to_pylist() == ["a", "b"]
    assert found.typed["age"].to_pylist() == [5, 6]


def test_column_that_is_matched_with_identifiers_is_replaced(pseudonyms, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("who,patient_id\n7,a.png\n", encoding="utf-8")
    table = read_table(path)
    found = pseudonyms.table(table, key=Key(path, "who", "PatientID"))
    assert found.texts["who"].to_pylist() == [pseudonyms.of("patient", "7")]
    by_file = pseudonyms.table(table, key=Key(path, "patient_id", "file_name"))
    assert by_file.texts["patient_id"].to_pylist() == ["a.png"]


def test_key_file_is_read_without_its_final_line_break(tmp_path):
    (tmp_path / "key").write_bytes(KEY + b"\r\n")
    assert Pseudonyms.read(tmp_path / "key").key == KEY


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the key cannot be read"),
        (b"", "expected a key of 16 to 4096 bytes, got 0"),
        (b"short\n", "expected a key of 16 to 4096 bytes, got 5"),
        (b"x" * 5000, "expected a key of 16 to 4096 bytes, got more"),
    ],
)
def test_invalid_key_is_refused(content, message, tmp_path):
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(IndexReadError, match=message) as error:
        Pseudonyms.read(tmp_path / "key")
    assert "short" not in str(error.value)


def test_key_in_the_index_is_refused(tmp_path):
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "key").write_bytes(KEY)
    with pytest.raises(IndexReadError, match="expected the key outside the index"):
        Pseudonyms.read(tmp_path / "index" / "key", apart_from=tmp_path / "index")
