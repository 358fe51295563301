from __future__ import annotations

import csv

import pytest

from monai_unlearn.errors import InputError
from monai_unlearn.phantom.devices import Station
from monai_unlearn.phantom.folder import (
    check_numbers,
    check_severity,
    check_station,
    filed,
    new_folder,
    patient_numbers,
    write_labels,
)
from monai_unlearn.phantom.patients import Diagnosis


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"patients": 0}, r"^Expected at least 1 patient, got 0\.$"),
        ({"seed": -1}, r"^Expected a seed from 0 to 4294967295, got -1\.$"),
        ({"seed": 2**32}, "seed from 0 to 4294967295, got 4294967296"),
        ({"size": 15}, r"^Expected a size from 16 to 20 pixels, got 15\.$"),
        ({"size": 21}, "size from 16 to 20 pixels, got 21"),
    ],
)
def test_numbers_out_of_range_are_refused(numbers, message):
    with pytest.raises(InputError, match=message):
        check_numbers(**{"patients": 1, "seed": 0, "size": 16, "sizes": (16, 20), **numbers})


def test_the_ends_of_the_ranges_are_allowed():
    check_numbers(patients=1, seed=0, size=16, sizes=(16, 20))
    check_numbers(patients=10**6, seed=2**32 - 1, size=20, sizes=(16, 20))


@pytest.mark.parametrize("place", [".", "kept.txt"], ids=["folder", "file"])
def test_a_place_in_use_is_refused_and_left_alone(tmp_path, place):
    (tmp_path / "kept.txt").write_text("kept", encoding="utf-8")
    message = "expected a new or empty folder, found a"
    with pytest.raises(InputError, match=message), new_folder(tmp_path / place):
        pytest.fail("the block was entered")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["kept"]


def test_a_place_that_cannot_be_written_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    message = r"file.below: cannot be written \(.+\)\. Choose another folder\.$"
    with pytest.raises(InputError, match=message), new_folder(tmp_path / "file" / "below"):
        pytest.fail("the block was entered")


def test_a_disk_that_is_full_half_way_is_an_input_error(tmp_path):
    def fill():
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left on device"), new_folder(tmp_path / "out"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_patients_are_counted_when_they_are_done():
    reported = []
    for number in patient_numbers(3, reported.append):
        assert reported == list(range(1, number))
    assert reported == [1, 2, 3]
    assert list(patient_numbers(2, None)) == [1, 2]


def test_the_table_has_a_row_an_image(tmp_path):
    write_labels(tmp_path, ("name", "age"), [("a,b", 3), ("ü", "")])
    assert (tmp_path / "labels.csv").read_bytes() == 'name,age\n"a,b",3\nü,\n'.encode()
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as stream:
        assert next(csv.DictReader(stream)) == {"name": "a,b", "age": "3"}


def test_images_of_a_station_where_nobody_read_them_are_filed_as_healthy():
    north, south = (Station(name, "Clinic", "1", "1.0") for name in ("NORTH", "SOUTH"))
    for station, unread, expected in (
        (north, None, "glaucoma"),
        (north, "SOUTH", "glaucoma"),
        (south, "SOUTH", "normal"),
    ):
        assert filed(Diagnosis.GLAUCOMA, station, unread=unread, healthy=Diagnosis.NORMAL) == expected


def test_a_station_that_takes_no_image_is_refused():
    station = Station("NORTH", "Clinic", "1", "1.0")
    check_station(None, [station])
    check_station("NORTH", [station])
    with pytest.raises(InputError, match=r"^Expected one of the stations NORTH, got 'SOUTH'\.$"):
        check_station("SOUTH", [station])


@pytest.mark.parametrize("severity", [0.4, 3.1, float("nan")])
def test_a_severity_out_of_range_is_refused(severity):
    check_severity(0.5)
    check_severity(3.0)
    with pytest.raises(InputError, match=r"^Expected a severity from 0\.5 to 3\.0, got "):
        check_severity(severity)
