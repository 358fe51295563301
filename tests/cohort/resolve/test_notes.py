from __future__ import annotations

import datetime as dt

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.resolve.notes import words_of_notes
from monai_unlearn.vocabulary.fields import Kind


@pytest.fixture
def index(tmp_path):
    columns = {
        "StudyDate": [dt.date(2018, 1, 1), dt.date(1900, 1, 1), dt.date(2020, 1, 1), None, dt.date(1900, 1, 1)],
        "site": ["a", "a", "a", None, "b"],
        "fault": [None, "implausible_date", None, "invalid_date", "implausible_date"],
    }
    return make_index(tmp_path, columns, {"StudyDate": Kind.DATE, "site": Kind.TEXT})


def test_notes_count_the_images_of_the_population(index):
    assert make_spec("studied < 2019-01-01").resolve(index).preview()["notes"] == {
        "invalid_date": 1,
        "implausible_date": 2,
    }
    some = make_spec("studied < 2019-01-01", "population: site == a\n").resolve(index)
    # The image of an unknown site may belong to the population.
    assert some.preview()["notes"] == {"invalid_date": 1, "implausible_date": 1}


def test_words_say_what_each_note_means_and_show_suppressed_counts():
    one, many = words_of_notes({"implausible_age": 1, "dates_shifted": "<5"})
    assert one.startswith("implausible_age (1 image): contains an age of 000Y")
    assert many.startswith("dates_shifted (<5 images): contains a date that de-identification has shifted")
