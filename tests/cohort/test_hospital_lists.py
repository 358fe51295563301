"""Lists of withdrawn patients as hospitals write them: none forgets fewer people than it names without a word."""

from __future__ import annotations

import pytest
from cohort_index import make_index

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.errors import CohortError, SpecError
from monai_unlearn.vocabulary.fields import Kind

PATIENTS = ["0012345", "0012346", "12346", "MRN-0077", "A 17", "B17", "#9", "1e5", "other", None]


@pytest.fixture
def index(tmp_path):
    columns = {"patient": PATIENTS, "mrn": [str(number) for number in range(10)]}
    columns["patient_ids"] = [*PATIENTS[:5], "B17\\OLD-17", *PATIENTS[6:]]
    return make_index(tmp_path / "index", columns, {"mrn": Kind.TEXT})


def forgotten(index, folder, *, forget="patient in @w", values, more="", content=None, name="w.txt"):
    """Return the numbers of the patients whom a spec forgets."""
    if content is not None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    sets = f"value_sets:\n  w: {values}\n" if values else ""
    head = "schema_version: 1\nname: gone\nreason: consent_withdrawal\n"
    (folder / "spec.yaml").write_text(f"{head}forget: {forget}\n{sets}{more}", encoding="utf-8")
    cohort = CohortSpec.read(folder / "spec.yaml").resolve(index)
    return [int(image[1:]) for image in cohort.image_ids["forget"]]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\xef\xbb\xbf0012345\r\nB17  \r\n", [0, 5]),
        (b"12346\rB17\r", [2, 5]),
        ("\u200bB17\u200b\n0012345\u00a0\n", [0, 5]),
        ("A\u00a017\nA  17\n", [4]),
        (b"B17\n\n  B17\n", [5]),
        (b"# withdrawn in May\n#\n#9\nB17\n", [5, 6]),
        (b"OLD-17\n1e5\n", [5, 7]),
    ],
)
def test_artefacts_that_change_no_identifier_are_overlooked(index, tmp_path, content, found):
    assert forgotten(index, tmp_path, content=content, values="{file: w.txt}") == found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0012345\r\n".encode("utf-16"), "expected UTF-8 in w.txt"),
        (b'"0012345"\nB17\n', "found 1 of 2. Near misses: 1 by a prefix or suffix"),
        ("\u0660\u0660\u0661\u0662\u0663\u0664\u0665\nB17\n", "found 1 of 2"),
        ("\uff2217\n0012345\n", "found 1 of 2"),
        (b"PatientID\nB17\n", "found 1 of 2"),
        (b"1.2346E+04\nB17\n", "found 1 of 2. Near misses: 1 by decimals"),
        (b"12346.0\nB17\n", "found 1 of 2. Near misses: 1 by decimals"),
        (b"'12346\nB17\n", "found 1 of 2. Near misses: 1 by a prefix"),
        (b"12346, B17\n", "found 0 of 1"),
        (b"12346;B17\n", "found 0 of 1"),
        (b"0077\nb17\n12345\n", "found 0 of 3. Near misses: 1 by upper and lower case, 1 by leading zeros, 1 by a"),
        (b"12346\tB17\n", "control characters for value 1"),
        (b"\xef\xbb\xbf\n", "expected at least one value in w.txt"),
    ],
)
def test_artefacts_that_change_an_identifier_are_refused(index, tmp_path, content, message):
    with pytest.raises((CohortError, SpecError), match=message) as caught:
        forgotten(index, tmp_path, content=content, values="{file: w.txt}")
    assert not any(name in str(caught.value) for name in ("12345", "12346", "B17"))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'\xef\xbb\xbfid,n\r\n0012345,x\r\n"B17",y\r\n,\r\n', [0, 5]),
        (b"id\rB17\r0012345\r", [0, 5]),
        (b"id;n\r\nB17;x\r\n", "Its columns are not separated by commas"),
        (b"sep=,\r\nid,n\r\nB17,x\r\n", "no column 'id'"),
        (b'id\r\n="0012345"\r\nB17\r\n', "found 1 of 2"),
        (b"id,n\r\n,Doe\r\nB17,Roe\r\n", "found none in 1 row: 1"),
        (b'id,n\nB17, "Doe, J"\n', "not a well-formed CSV"),
        (b'id,n\n"B17\n0012345",x\n', "control characters for value 1"),
    ],
)
def test_tables(index, tmp_path, content, found):
    options = {"content": content, "name": "w.csv", "values": "{file: w.csv, column: id}"}
    if isinstance(found, list):
        assert forgotten(index, tmp_path, **options) == found
    else:
        with pytest.raises((CohortError, SpecError), match=found):
            forgotten(index, tmp_path, **options)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("[0012345, 12346]", [0, 2]),
        ("[1e5, '#9']", [6, 7]),
        ("{values: [B17, 'X  1'], absent: [X 1]}", [5]),
        ("{values: [B17, 99], absent: [B17, 99]}", "found 1 that do"),
        ("\n    - B17\n    - #9", "has no value"),
        ("[~, B17]", "has no value"),
        ("0012345, B17", "found 0 of 1"),
        ("|\n    0012345\n    B17", "control characters"),
    ],
)
def test_lists_in_the_spec(index, tmp_path, values, found):
    if isinstance(found, list):
        assert forgotten(index, tmp_path, values=values) == found
    else:
        with pytest.raises((CohortError, SpecError), match=found):
            forgotten(index, tmp_path, values=values)


@pytest.mark.parametrize(
    ("forget", "values", "found"),
    [
        ("patient in @w or mrn == 8", "[B17, 12347]", "of @w .patient. to occur .*found 1 of 2"),
        ("{any: [{all: [patient in @w, exists(mrn)]}, mrn == 8]}", "[B17, nobody]", "found 1 of 2"),
        ("{any: [{all: [patient in @w, exists(mrn)]}, mrn == 8]}", "[B17, A 17]", [4, 5, 8]),
        ("patient in @w or patient in [12346, nobody]", "[B17]", r"every value of \[… 2 values\] \(patient\)"),
        ("patient in @w or mrn in @w", "[B17, '3']", [3, 5]),
        ("patient == B17 or patient == nobody", "", "every value of == … .patient. to occur .*found 1 of 2"),
        ("patient like b-17 or patient like nobody", "", "every value of like … .patient. to occur .*found 1 of 2"),
        ("patient in ['A  17']", "", "found 0 of 1. Near misses: 1 by spaces"),
        ("patient in [A  17, B17]", "", [4, 5]),
        ("patient not in @w and mrn < 5", "[B17, nobody]", "found 1 of 2"),
    ],
)
def test_a_list_counts_wherever_it_stands(index, tmp_path, forget, values, found):
    if isinstance(found, list):
        assert forgotten(index, tmp_path, forget=forget, values=values) == found
    else:
        with pytest.raises(CohortError, match=found):
            forgotten(index, tmp_path, forget=forget, values=values)
