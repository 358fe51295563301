from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monai_unlearn.errors import IndexReadError
from monai_unlearn.index.assemble import Collected
from monai_unlearn.index.duplicates import find_duplicates
from monai_unlearn.index.patient_key import PatientKey
from monai_unlearn.index.store.digest import engine

TAGS = ("PatientID", "issuer", "InstitutionName", "StudyInstanceUID", "ManufacturerModelName", "DeviceSerialNumber")


@pytest.fixture
def find(tmp_path):
    """Find the duplicates among files of (identifier, is it DICOM, is it a plain image, tags)."""

    def run(*files, key=None, aliases=()):
        ids = [{"image_id": name, "is_dicom": is_dicom, "is_plain": is_plain} for name, is_dicom, is_plain, *_ in files]
        pq.write_table(pa.Table.from_pylist(ids), tmp_path / "ids.parquet")
        rows = [{"path": f"/d/{at}", **(file[3] if file[3:] else {})} for at, file in enumerate(files)]
        schema = pa.schema({name: pa.string() for name in ("path", *TAGS)})
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), tmp_path / "files.parquet")
        collected = Collected(tmp_path / "files.parquet", tmp_path / "ids.parquet")
        with engine(tmp_path) as connection:
            names = {"node": [node for node, _ in aliases], "patient": [patient for _, patient in aliases]}
            connection.register("aliases", pa.table({name: pa.array(v, pa.string()) for name, v in names.items()}))
            return find_duplicates(connection, collected, key)

    return run


def dicom(name, **tags):
    return (name, True, False, {"PatientID": "P1", "StudyInstanceUID": "1.1", **tags})


def test_all_but_the_first_dicom_file_of_an_identifier_are_copies(find):
    found = find(dicom("a"), dicom("b"), dicom("c"), dicom("b"), dicom("a"), dicom("a"))
    assert (found.copies.tolist(), found.conflicts.tolist()) == ([3, 4, 5], [])


@pytest.mark.parametrize(
    "other",
    [
        {"PatientID": "P2"},
        {"PatientID": None},
        {"StudyInstanceUID": "1.2"},
        {"ManufacturerModelName": "Cirrus"},
        {"DeviceSerialNumber": "7"},
    ],
)
def test_copies_of_another_patient_study_or_device_contradict_each_other(find, other):
    found = find(dicom("b"), dicom("a"), dicom("a", **other), dicom("a"))
    assert (found.copies.tolist(), found.conflicts.tolist()) == ([3], [1, 2])
    none, suffix = sorted(found.suffixes)
    assert none == ""
    assert suffix.startswith("#")
    # Of the content alone, wherever the copies are.
    assert find(dicom("a"), dicom("a", **other)).suffixes == found.suffixes
    assert find(dicom("a", **other), dicom("a")).suffixes == found.suffixes[::-1]


def test_three_variants_have_three_names_and_texts_never_run_together(find):
    one, two = {"ManufacturerModelName": "AB"}, {"ManufacturerModelName": "A", "DeviceSerialNumber": "B"}
    found = find(dicom("a", **one), dicom("a", **two), dicom("a"))
    assert found.conflicts.tolist() == [0, 1, 2]
    assert len(set(found.suffixes)) == 3


def test_same_patient_under_two_identifiers_is_no_contradiction(find):
    files = dicom("a", PatientID="NEW"), dicom("a", PatientID="OLD")
    assert find(*files).conflicts.tolist() == [0, 1]
    assert find(*files, aliases=[("OLD", "NEW"), ("NEW", "NEW")]).copies.tolist() == [1]


def test_issuer_counts_if_it_is_part_of_the_key(find):
    files = dicom("a", issuer="A"), dicom("a", issuer="B")
    assert find(*files).copies.tolist() == [1]
    assert find(*files, key=PatientKey(issuer=True)).conflicts.tolist() == [0, 1]


def test_faulty_file_neither_has_nor_is_a_duplicate(find):
    found = find(("a", False, False), ("a", True, False), ("a", False, False))
    assert (found.copies.tolist(), found.conflicts.tolist()) == ([], [])


def test_plain_images_with_the_same_path_are_refused(find):
    plain = ("x", False, True)
    with pytest.raises(IndexReadError, match="^/d/1 and /d/3 have the same path within their source"):
        find(("y", False, True), plain, ("x", False, False), plain, plain)
