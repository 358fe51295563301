"""Real anatomy: annotated label maps of faces, indexed with their measurements, and painted for the classifier."""

from __future__ import annotations

import csv
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundle_run import ROOT, run
from PIL import Image

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.index.build import BuildRequest, build
from monai_unlearn.index.tables.key import Key
from monai_unlearn.phantom.periorbital import photograph_labels

DATA = os.environ.get("MONAI_UNLEARN_DATA")
pytestmark = pytest.mark.skipif(DATA is None, reason="MONAI_UNLEARN_DATA does not name the folder of real data")

BUNDLE = ROOT / "bundles" / "oculoplastic_classifier"
CLASSES = ["healthy", "thyroid_eye_disease", "craniofacial_deformity"]
IRIS_WIDTH = 11.7
EACH = 30  # faces with the widest and with the narrowest fissures


@pytest.fixture(scope="module")
def table():
    found = pd.read_csv(Path(DATA) / "periorbital_masks" / "measurements.csv")
    return found.assign(fissure=(found["r_vpf"] + found["l_vpf"]) / 2 * IRIS_WIDTH)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = Path(DATA) / "periorbital_masks"
    request = BuildRequest(
        sources=(folder,),
        out=tmp_path_factory.mktemp("masks") / "index",
        keys=(Key(folder / "measurements.csv", "path", "path"),),
        patient="celebamask_hq_id",
    )
    return build(request, track=iter)


def test_every_label_map_is_indexed_with_its_measurements(index, table):
    frame = index.index.frame()
    assert (index.index.images, index.faults) == (len(table), {})
    assert sorted(frame["patient"]) == sorted(table["celebamask_hq_id"].astype(str))
    assert frame["r_vpf"].notna().sum() == table["r_vpf"].notna().sum()


@pytest.mark.parametrize("limit", [9, 11])
def test_the_cohort_by_fissure_is_that_of_pandas(index, table, limit):
    spec = (ROOT / "cohort_specs" / "wide-palpebral-fissure.yaml").read_text().replace("> 11", f"> {limit}")
    cohort = CohortSpec.parse(spec).resolve(index.index)
    wide, unknown = table["fissure"] > limit, table["fissure"].isna()
    names = {part: {Path(path).name for path in getattr(cohort, part)["path"]} for part in ("forget", "undetermined")}
    assert names["forget"] == {Path(path).name for path in table.loc[wide, "path"]}
    assert names["undetermined"] == {Path(path).name for path in table.loc[unknown, "path"]}
    assert cohort.images["remain"] == len(table) - wide.sum() - unknown.sum()


@pytest.fixture(scope="module")
def predictions(table, tmp_path_factory):
    """The classes' probabilities of the faces with the widest and with the narrowest fissures, painted."""
    images = tmp_path_factory.mktemp("painted")
    ordered = table.dropna(subset=["fissure"]).sort_values("fissure")
    chosen = pd.concat([ordered.head(EACH).assign(wide=False), ordered.tail(EACH).assign(wide=True)])
    for number, path in enumerate(chosen["path"]):
        labels = np.asarray(Image.open(Path(DATA) / "periorbital_masks" / path))
        Image.fromarray(photograph_labels(labels, seed=number)).save(images / f"{number:03d}.png")
    settings = {"bundle": BUNDLE, "class_names": CLASSES, "image_size": [64, 160]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run("infer", "inference.yaml", dataset_dir=str(images), output_dir=str(images / "out"), **settings)
    _, *found_rows = csv.reader((images / "out" / "predictions.csv").read_text().splitlines())
    rows = sorted(found_rows)
    found = pd.DataFrame([[float(value) for value in row[1:]] for row in rows], columns=CLASSES)
    return found.assign(wide=chosen["wide"].to_numpy())


def test_the_classifier_works_on_painted_label_maps(predictions):
    assert len(predictions) == 2 * EACH
    assert predictions[CLASSES].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
    assert predictions[CLASSES].to_numpy().std(axis=0).max() > 0.05  # it does not say the same of all


def test_real_wide_fissures_look_more_like_thyroid_eye_disease(predictions):
    by_width = predictions.groupby("wide")["thyroid_eye_disease"].mean()
    assert by_width[True] > by_width[False] + 0.1
