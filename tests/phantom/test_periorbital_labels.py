from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monai_unlearn.phantom.periorbital_face import Eye, Face, draw_face
from monai_unlearn.phantom.periorbital_labels import LABEL_VALUES, Frame, draw_labels
from monai_unlearn.phantom.periorbital_statistics import Condition

DATA = os.environ.get("MONAI_UNLEARN_DATA")
SCALE = 8.0
FRAME = Frame(400, 1000, SCALE, (0.5, 0.64), 0.0)
EYE = Eye(vpf=9.0, mrd1=3.6, hpf=25.0, brow_height=13.0, canthal_tilt=4.0, flare=0.0)
FACE = Face(right=EYE, left=EYE, ipd=60.0, icd=33.0, dystopia=0.0, redness=0.1, swelling=0.1)


def fissure(labels, number):
    return np.isin(labels, [LABEL_VALUES[name] + number for name in ("r_sclera", "r_caruncle", "r_iris")])


def in_mm(labels, number, outwards):
    """Measure a label map: fissure, distances from the pupil, canthus to canthus."""
    seen = fissure(labels, number)
    column = seen[:, round(500 + outwards * FACE.ipd / 2 * SCALE)]
    pupil = 0.64 * 400
    rows = np.flatnonzero(column)
    across = np.flatnonzero(seen.any(axis=0))
    return {
        "vpf": column.sum() / SCALE,
        "mrd1": (pupil - rows[0]) / SCALE,
        "mrd2": (rows[-1] + 1 - pupil) / SCALE,
        "hpf": (across[-1] - across[0] + 1) / SCALE,
    }


@pytest.mark.parametrize(
    ("number", "outwards", "side"), [(0, -1, "right"), (1, 1, "left")], ids=["right eye", "left eye"]
)
@pytest.mark.parametrize("condition", list(Condition))
def test_what_is_drawn_is_what_was_measured(condition, number, outwards, side):
    drawn = draw_face(np.random.default_rng(8), condition)
    eye = getattr(drawn, side)
    face = replace(drawn, ipd=FACE.ipd, icd=FACE.icd, dystopia=0.0)
    found = in_mm(draw_labels(face, FRAME), number, outwards)
    for name in ("vpf", "mrd1", "mrd2"):
        assert found[name] == pytest.approx(getattr(eye, name), abs=1.5 / SCALE), name
    assert found["hpf"] == pytest.approx(eye.hpf, abs=0.06 * eye.hpf)  # a canthus is thinner than a pixel


def test_every_structure_is_there_on_its_side():
    labels = draw_labels(FACE, FRAME)
    assert set(np.unique(labels)) == {0, *LABEL_VALUES.values()}
    for name, value in LABEL_VALUES.items():
        columns = np.flatnonzero((labels == value).any(axis=0))
        assert (columns.mean() < 500) == (name[0] == "r"), name  # the right eye is on the left of the image


def test_lid_lies_over_the_fissure_and_brow_over_the_lid():
    labels = draw_labels(FACE, FRAME)
    column = labels[:, round(500 + FACE.ipd / 2 * SCALE)]
    order = [int(value) for value in dict.fromkeys(column.tolist()) if value]
    assert order == [LABEL_VALUES[name] for name in ("l_brow", "left_lid", "l_iris")] or order == [
        LABEL_VALUES[name] for name in ("l_brow", "left_lid", "l_iris", "l_sclera")
    ]


def test_the_iris_is_as_wide_as_in_adults():
    labels = draw_labels(FACE, FRAME)
    assert np.ptp(np.flatnonzero((labels == LABEL_VALUES["l_iris"]).any(axis=0))) / SCALE == pytest.approx(
        11.7, abs=0.2
    )


def test_an_outer_canthus_that_lies_lower_is_drawn_lower():
    slanted = replace(FACE, left=replace(EYE, canthal_tilt=-12.0))
    for face, higher in ((FACE, True), (slanted, False)):
        seen = fissure(draw_labels(face, FRAME), 1)
        columns = np.flatnonzero(seen.any(axis=0))
        inner, outer = (np.flatnonzero(seen[:, column]).mean() for column in (columns[3], columns[-3]))
        assert (outer < inner) == higher


def test_flare_lifts_the_temporal_part_of_the_upper_lid():
    tops = []
    for flare in (0.0, 1.0):
        face = replace(FACE, left=replace(EYE, flare=flare))
        seen = fissure(draw_labels(face, FRAME), 1)
        tops.append(np.flatnonzero(seen[:, round(500 + (FACE.icd / 2 + 0.85 * EYE.hpf) * SCALE)])[0])
    assert tops[1] < tops[0]


def test_a_head_held_askew_turns_the_image():
    turned = draw_labels(FACE, replace(FRAME, roll=math.radians(10)))
    heights = [np.argwhere(fissure(turned, number))[:, 0].mean() for number in (0, 1)]
    assert (heights[0] - heights[1]) / SCALE == pytest.approx(60 * math.sin(math.radians(10)), abs=1.0)


def test_one_orbit_lies_over_the_other():
    labels = draw_labels(replace(FACE, dystopia=5.0), FRAME)
    heights = [np.argwhere(fissure(labels, number))[:, 0].mean() for number in (0, 1)]
    assert (heights[0] - heights[1]) / SCALE == pytest.approx(5.0, abs=0.3)


@pytest.mark.skipif(DATA is None, reason="MONAI_UNLEARN_DATA does not name the folder of real data")
def test_the_values_are_those_of_the_annotated_faces():
    assert json.loads((Path(DATA) / "periorbital_masks" / "label_values.json").read_text()) == LABEL_VALUES
