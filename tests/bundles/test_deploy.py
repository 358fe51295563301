"""A bundle in a MONAI Application Package: loaded from its export alone, on the CPU, it predicts what `infer` does."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
import yaml
from bundle_run import run
from deploy_operator import NoPredictorError, Operator, model_file
from monai.bundle import ConfigParser

from monai_unlearn.release.sums import update_sums
from monai_unlearn.release.torchscript import SCRIPT, bundle_network, export_torchscript

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated:DeprecationWarning")


def classes_of(walked):
    metadata = json.loads((walked.root / "configs" / "metadata.json").read_text(encoding="utf-8"))
    return list(metadata["network_data_format"]["outputs"]["pred"]["channel_def"].values())


def image_of(walked, path):
    """Read an image with the `loading` transform of the bundle's inference config, and nothing after it."""
    parser = ConfigParser(ConfigParser.load_config_file(str(walked.root / "configs" / "inference.yaml")))
    return np.asarray(parser.get_parsed_content("loading")({"image": str(path)})["image"])


def inferred(walked, path, out):
    settings = {"dataset_dir": str(path.parent), "file_pattern": path.name, "class_names": classes_of(walked)}
    run("infer", "inference.yaml", bundle=walked.root, output_dir=str(out), **settings, **size_of(walked))
    _, row = csv.reader((out / "predictions.csv").read_text().splitlines())
    return [float(value) for value in row[1:]]


def size_of(walked):
    config = ConfigParser.load_config_file(str(walked.root / "configs" / "inference.yaml"))
    return {"image_size": config["image_size"]}


@pytest.fixture(scope="module")
def exported(walked):
    path = export_torchscript(walked.root)
    assert path == walked.root / SCRIPT
    yield walked, path
    # The other tests expect a bundle without an export.
    path.unlink()
    update_sums(walked.root, [str(SCRIPT)])


def test_the_operator_predicts_from_the_export_alone(exported, tmp_path):
    walked, script = exported
    path = walked.images / "5L.png"
    found = Operator(script)(image_of(walked, path))["pred"]
    assert found["probabilities"] == pytest.approx(inferred(walked, path, tmp_path / "out"), abs=1e-5)
    # The operator numbers classes by their probabilities, cut to 0 or 1: nobody may read this.
    assert set(found["result"]) <= set(classes_of(walked)[:2])


def test_the_operator_predicts_from_weights_and_network_def(exported):
    walked, script = exported
    image = image_of(walked, walked.images / "2R.png")
    from_weights = Operator(script, network=bundle_network(walked.root))(image)["pred"]
    assert from_weights["probabilities"] == pytest.approx(Operator(script)(image)["pred"]["probabilities"], abs=1e-5)


def test_nothing_that_loads_or_saves_files_is_left(exported):
    operator = Operator(exported[1])
    steps = [type(step).__name__ for part in (operator.before, operator.after) for step in part.transforms]
    assert steps
    assert not [name for name in steps if name.startswith(("Load", "Save"))]


def test_the_model_is_found_in_a_folder_of_its_own(exported, tmp_path):
    _, script = exported
    placed = tmp_path / "models" / "classifier" / "model.ts"
    placed.parent.mkdir(parents=True)
    shutil.copy(script, placed)
    assert model_file(tmp_path / "models") == placed
    with pytest.raises(NoPredictorError, match="A predictor of the model is not set"):
        Operator(placed.parent)


def test_preprocessing_that_drops_the_metadata_is_refused(exported, tmp_path):
    walked, _ = exported
    root = tmp_path / "bundle"
    shutil.copytree(walked.root, root)
    (root / "SHA256SUMS").unlink(missing_ok=True)
    config = root / "configs" / "inference.yaml"
    written = yaml.safe_load(config.read_text(encoding="utf-8"))
    written["preprocessing"]["transforms"][-1]["track_meta"] = False
    config.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    operator = Operator(export_torchscript(root, target=tmp_path / "model.ts"))
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'meta'"):
        operator(image_of(walked, walked.images / "5L.png"))
