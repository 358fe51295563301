from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from monai_unlearn.index.identities import PEOPLE, Identities
from monai_unlearn.index.patient_key import PatientKey

ISSUER = PatientKey(issuer=True)


@pytest.fixture
def applied():
    """Find the patients of people, and return (patient, patient_ids, faults) of each."""

    def run(*people, key=None):
        with duckdb.connect() as connection:
            table = {name: pa.array([person.get(name) for person in people], pa.string()) for name in PEOPLE}
            connection.register("given", pa.table(table))
            connection.execute("create temp table people as from given")
            identities = Identities.find(connection, key or PatientKey())
        empty = pa.nulls(len(people), pa.string())
        rows = {"patient": table["id"], "study": table["study"], "fault": empty, "faults": empty}
        rows |= {"issuer": table["issuer"], "InstitutionName": table["institution"]}
        found = identities.apply(pa.table(rows))
        return list(zip(*(found[name].to_pylist() for name in ("patient", "patient_ids", "faults")), strict=True))

    return run


def test_patient_of_one_identifier_is_that_identifier(applied):
    assert applied({"id": "B"}, {"id": "A"}, {"id": "B"}) == [("B", "B", None), ("A", "A", None), ("B", "B", None)]


def test_old_identifier_finds_all_images_in_either_direction(applied):
    found = applied({"id": "OLD"}, {"id": "NEW", "others": "OLD"}, {"id": "NEW"}, {"id": "X"})
    assert found == [("NEW", "NEW\\OLD", None)] * 3 + [("X", "X", None)]


def test_identifier_that_no_image_has_is_found_too(applied):
    assert applied({"id": "N", "others": "GONE^^^HOSP"}) == [("N", "GONE\\N", None)]


def test_chain_of_identifiers_is_one_patient(applied):
    people = {"id": "C", "others": "B"}, {"id": "B", "others": "A"}, {"id": "A"}, {"id": "D", "others": "A"}
    assert applied(*people) == [("A", "A\\B\\C\\D", None)] * 4


def test_placeholder_connects_nobody(applied):
    found = applied({"id": "A", "others": "UNKNOWN"}, {"id": "B", "others": "UNKNOWN\\***"})
    assert [patient for patient, *_ in found] == ["A", "B"]


def test_issuer_tells_two_patients_apart_and_their_common_id_names_neither(applied):
    people = {"id": "1", "issuer": "A", "sex": "F"}, {"id": "1", "issuer": "B", "sex": "M"}, {"id": "2", "issuer": "B"}
    assert applied(*people, key=ISSUER) == [
        ("1^^^A", "1^^^A", None),
        ("1^^^B", "1^^^B", None),
        ("2^^^B", "2\\2^^^B", None),
    ]
    notes = "patient_with_two_sexes\\patient_with_two_issuers"
    assert applied(*people) == [("1", "1", notes), ("1", "1", notes), ("2", "2", None)]


@pytest.mark.parametrize("issuer", ["A", None])
def test_old_identifier_with_its_issuer_is_found(issuer, applied):
    found = applied({"id": "NEW", "issuer": "B", "others": "OLD^^^A"}, {"id": "OLD", "issuer": issuer}, key=ISSUER)
    assert len({patient for patient, *_ in found}) == 1
    assert {"OLD", "OLD^^^A", "NEW", "NEW^^^B"} <= set(found[0][1].split("\\"))
    assert found[0] == found[1]


def test_old_identifier_of_another_issuer_is_another_patient(applied):
    people = (
        {"id": "NEW", "issuer": "B", "others": "OLD^^^A"},
        {"id": "OLD", "issuer": "A"},
        {"id": "OLD", "issuer": "C"},
    )
    one, same, other = (patient for patient, *_ in applied(*people, key=ISSUER))
    assert one == same != other


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"sex": ("F", "M")}, "patient_with_two_sexes"),
        ({"sex": ("F", "f")}, None),
        ({"sex": ("F", None)}, None),
        ({"birth": ("1", "2")}, "patient_with_two_birth_dates"),
        ({"issuer": ("A", "B")}, "patient_with_two_issuers"),
        ({"issuer": ("A", None)}, None),
    ],
)
def test_patient_whose_images_disagree_has_a_note(values, fault, applied):
    ((name, (one, two)),) = values.items()
    found = applied({"id": "P", name: one}, {"id": "P", name: two}, {"id": "Q", name: one})
    assert [faults for *_, faults in found] == [fault, fault, None]


def test_sexes_of_a_patient_with_two_identifiers_are_compared(applied):
    found = applied({"id": "OLD", "sex": "M"}, {"id": "NEW", "others": "OLD", "sex": "F"})
    assert [faults for *_, faults in found] == ["patient_with_two_sexes"] * 2


def test_study_of_two_patients_has_a_note_but_not_one_of_a_patient_and_a_placeholder(applied):
    people = (
        {"id": "P", "study": "1"},
        {"id": "Q", "study": "1"},
        {"id": "Q", "study": "2"},
        {"id": "***", "study": "2"},
    )
    assert [faults for *_, faults in applied(*people)] == ["study_with_two_patients"] * 2 + [None] * 2
