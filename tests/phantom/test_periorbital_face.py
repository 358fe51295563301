from __future__ import annotations

import itertools

import numpy as np
import pytest

from monai_unlearn.phantom.periorbital_face import change_between_visits, draw_face
from monai_unlearn.phantom.periorbital_statistics import Condition

FACES = 400


@pytest.fixture(scope="module")
def faces():
    return {
        condition: [draw_face(np.random.default_rng((4, number)), condition) for number in range(FACES)]
        for condition in Condition
    }


def mean(faces, take):
    return np.mean([take(face) for face in faces])


def fissure(face):
    return (face.right.vpf + face.left.vpf) / 2


def test_healthy_faces_are_as_measured(faces):
    healthy = faces[Condition.HEALTHY]
    assert mean(healthy, fissure) == pytest.approx(0.69 * 11.7, abs=0.25)
    assert np.std([face.right.vpf for face in healthy]) == pytest.approx(0.143 * 11.7, abs=0.2)
    assert mean(healthy, lambda face: face.icd) == pytest.approx(2.78 * 11.7, abs=0.8)
    sides = np.array([(face.right.vpf, face.left.vpf) for face in healthy])
    assert np.corrcoef(sides.T)[0, 1] == pytest.approx(0.78, abs=0.06)


def test_thyroid_eye_disease_opens_the_lids(faces):
    healthy, ill = faces[Condition.HEALTHY], faces[Condition.THYROID_EYE_DISEASE]
    assert mean(ill, lambda face: face.right.mrd1) == pytest.approx(5.1, abs=0.3)
    assert mean(ill, lambda face: face.left.mrd2) > mean(healthy, lambda face: face.left.mrd2) + 0.7
    assert mean(ill, lambda face: face.redness) > mean(healthy, lambda face: face.redness) + 0.2
    assert mean(ill, lambda face: face.icd) == pytest.approx(mean(healthy, lambda face: face.icd), abs=1e-9)


def test_craniofacial_deformity_sets_the_eyes_apart_and_slants_them_down(faces):
    healthy, ill = faces[Condition.HEALTHY], faces[Condition.CRANIOFACIAL_DEFORMITY]
    assert mean(ill, lambda face: face.icd) > mean(healthy, lambda face: face.icd) + 2 * 4.2
    assert mean(ill, lambda face: face.right.canthal_tilt) < -3
    assert mean(ill, lambda face: face.right.hpf) < mean(healthy, lambda face: face.right.hpf) - 2
    assert mean(ill, fissure) == pytest.approx(mean(healthy, fissure), abs=0.3)
    assert np.std([face.dystopia for face in ill]) > 2


def test_wide_fissures_are_mostly_but_not_only_thyroid_eye_disease(faces):
    wide = {condition: sum(fissure(face) > 11 for face in faces[condition]) / FACES for condition in Condition}
    assert wide[Condition.THYROID_EYE_DISEASE] == pytest.approx(0.41, abs=0.08)
    assert 0.01 < wide[Condition.HEALTHY] < 0.08
    assert 0.02 < wide[Condition.CRANIOFACIAL_DEFORMITY] < 0.12


def test_every_face_can_be_drawn(faces):
    for face in itertools.chain(*faces.values()):
        place = (face.ipd - face.icd) / 2
        for eye in (face.right, face.left):
            assert eye.mrd1 > 0
            assert eye.mrd2 > 0
            assert 0 < place < eye.hpf
            assert eye.brow_height > eye.mrd1


def test_measurements_have_names_and_units(faces):
    found = faces[Condition.HEALTHY][0].measurements()
    assert {name for name, (_, unit) in found.items() if unit == "deg"} == {"r_canthal_tilt", "l_canthal_tilt"}
    assert {f"{side}_{name}" for side in "rl" for name in ("vpf", "mrd1", "mrd2", "hpf")} <= set(found)
    assert found["r_vpf"][0] == pytest.approx(found["r_mrd1"][0] + found["r_mrd2"][0])


def test_a_later_visit_changes_the_lids_a_little(faces):
    face = faces[Condition.HEALTHY][0]
    later = change_between_visits(np.random.default_rng(1), face)
    assert 0 < abs(later.right.vpf - face.right.vpf) < 2
    assert later.right.mrd1 / later.right.vpf == pytest.approx(face.right.mrd1 / face.right.vpf)
    assert (later.icd, later.right.hpf) == (face.icd, face.right.hpf)


@pytest.mark.parametrize(
    ("condition", "measure", "shift"),
    [
        (Condition.THYROID_EYE_DISEASE, "r_vpf", 2.6),
        (Condition.CRANIOFACIAL_DEFORMITY, "icd", 9.5),
    ],
)
def test_severity_is_a_factor_on_the_shifts_of_a_condition(condition, measure, shift):
    def mean(severity, shown=condition):
        faces = (draw_face(np.random.default_rng((4, number)), shown, severity=severity) for number in range(300))
        return np.mean([face.measurements()[measure][0] for face in faces])

    # Plausible limits cut a little off.
    assert mean(1.5) - mean(1.0) == pytest.approx(0.5 * shift, rel=0.15)
    assert mean(1.5, Condition.HEALTHY) == mean(1.0, Condition.HEALTHY)
