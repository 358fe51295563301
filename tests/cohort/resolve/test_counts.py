from __future__ import annotations

import pytest
from cohort_index import make_index, make_spec

from monai_unlearn.cohort.resolve.counts import NO_LABEL
from monai_unlearn.vocabulary.fields import Kind

KINDS = {"device": Kind.TEXT, "diagnosis": Kind.TEXT}


def test_images_without_a_patient_count_as_images_and_as_no_patient(tmp_path):
    columns = {"device": ["old", "old", "old", "new", None], "patient": ["p", "p", None, " ", "q"]}
    counts = make_spec("device == old").resolve(make_index(tmp_path, columns, KINDS)).counts
    assert counts.images == {"forget": 3, "remain": 1, "undetermined": 1}
    assert counts.patients == {"forget": 1, "remain": 0, "undetermined": 1}
    assert counts.remaining_without_patient == 1


def test_classes_are_sorted_and_images_without_one_come_last(tmp_path):
    columns = {"device": ["old", "old", "new", "new"], "diagnosis": ["z", None, "a", "a"]}
    counts = make_spec("device == old").resolve(make_index(tmp_path, columns, KINDS, label="diagnosis")).counts
    assert list(counts.classes) == ["a", "z", NO_LABEL]
    assert counts.classes["a"] == {"forget": 0, "remain": 2, "undetermined": 0}
    # Images without a class are not a class that could be emptied.
    assert counts.classes_emptied == ["z"]


def test_without_a_label_there_are_no_classes(tmp_path):
    index = make_index(tmp_path / "index", {"device": ["old", "new"]}, {"device": Kind.TEXT})
    assert make_spec("device == old").resolve(index).counts.classes == {}


@pytest.mark.parametrize(
    ("more", "split"),
    [
        ("", ["a", "c"]),
        ("scope: series", ["a", "c"]),
        # The two images of c are of one study, those of a are not.
        ("scope: study", ["a"]),
        ("scope: patient", []),
        ("scope: patient\nsample: {count: 2, by: image, seed: 1}", ["a", "c"]),
        ("scope: patient\nsample: {count: 1, by: patient}", []),
    ],
)
def test_patients_in_the_forget_and_the_remain_part_are_counted(tmp_path, more, split):
    columns = {
        #          c forget, remain   a the same      b      none  d            e forget, undetermined
        "device": ["old", "new", "old", "new", "new", "old", None, "new", "old", None],
        "patient": ["c", "c", "a", "a", "b", " ", "d", "d", "e", "e"],
        "study": ["s1", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"],
        "series": [f"e{number}" for number in range(10)],
    }
    cohort = make_spec("device == old", more).resolve(make_index(tmp_path / "index", columns, KINDS))
    assert cohort.counts.patients_in_both == cohort.manifest["patients_in_both"] == len(split)


def test_images_left_in_a_study_are_counted(tmp_path):
    columns = {"device": ["old", "new", "new"], "study": ["1", "1", None]}
    assert make_spec("device == old").resolve(make_index(tmp_path, columns, KINDS)).counts.staying_in_study == 1
