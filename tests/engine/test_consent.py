from __future__ import annotations

import pytest
from tiny import tiny_index, tiny_spec, write_images

from monai_unlearn.data import open_data
from monai_unlearn.engine.consent import DoubtfulTraining, check_consent, consent_warnings
from monai_unlearn.engine.training_record import images_digest
from monai_unlearn.errors import CohortError

SPEC = "schema_version: 1\nname: gone\nreason: {}\nforget: patient in [patient-003, patient-005]\n{}"
ALL = ["forget", "remain", "undetermined"]


@pytest.fixture
def opened(tmp_path):
    frame = write_images(tmp_path / "pictures")
    # Of two patients, nobody knows which images are theirs.
    frame.loc[frame["patient"].isin(["patient-001", "patient-002"]), "patient"] = None
    tiny_index(tmp_path, frame=frame)

    def open_(more="", reason="consent_withdrawal"):
        spec = tiny_spec(tmp_path, SPEC.format(reason, more))
        return open_data(index_dir=tmp_path / "index", cohort_spec=spec, class_names=("up", "down"))

    return open_


def record(data, parts=ALL, **changes):
    return {"parts": parts, "split": data.split_rule.to_dict(), "images_digest": images_digest(data, parts), **changes}


def training(data, part):
    return len(data.items([part], "train"))


def test_undetermined_images_that_were_trained_on_stop_the_run(opened):
    data = opened()
    images = training(data, "undetermined")
    assert images in range(1, 5)
    with pytest.raises(CohortError, match=f"spec.yaml: {images} images that were trained on may belong to") as caught:
        check_consent(data.cohort, data, record(data))
    assert "Write unknown: forget" in str(caught.value)
    assert "why: TEXT" in str(caught.value)


@pytest.mark.parametrize("more", ["unknown: remain\n", "unknown: remain\nwhy: They remain.\n", "unknown: exclude\n"])
def test_so_do_images_that_remain_although_they_are_undetermined(opened, more):
    data = opened(more)
    with pytest.raises(CohortError, match=r"and would not be forgotten \(unknown: "):
        check_consent(data.cohort, data, record(data))


def test_the_spec_may_say_what_becomes_of_them(opened):
    data = opened("unknown: forget\n")
    assert check_consent(data.cohort, data, record(data)) == DoubtfulTraining(0, assumed=False, why=None)
    data = opened("unknown: exclude\nwhy: They were asked.\n")
    images = training(data, "undetermined")
    found = check_consent(data.cohort, data, record(data))
    assert found == DoubtfulTraining(images, assumed=False, why="They were asked.")
    assert found.to_dict() == {"images": images, "assumed": False, "why": "They were asked."}
    (warning,) = consent_warnings(found)
    assert warning.startswith(f"{images} images of undetermined or doubtful identity were trained on and are not")


def test_images_that_were_not_trained_on_are_no_obstacle(opened):
    data = opened()
    found = check_consent(data.cohort, data, record(data, ["forget", "remain"]))
    assert found == DoubtfulTraining(0, assumed=False, why=None)
    assert consent_warnings(found) == []


@pytest.mark.parametrize("fits", ["no record", "other images"])
def test_without_a_record_that_fits_all_training_images_count(opened, fits):
    data = opened()
    found = {} if fits == "no record" else record(data, ["forget", "remain"], images_digest="sha256:other")
    with pytest.raises(CohortError, match="images that may have been trained on .no training record names"):
        check_consent(data.cohort, data, found)


def test_other_reasons_leave_undetermined_images_out(opened):
    data = opened(reason="other")
    assert check_consent(data.cohort, data, record(data)) is None
    assert consent_warnings(None) == []
