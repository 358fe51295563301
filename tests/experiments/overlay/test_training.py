from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from zoo_classifiers import LAYOUTS, write_bundle

from monai_unlearn.errors import ConfigError
from monai_unlearn.experiments.overlay.config_data import ConfigData
from monai_unlearn.experiments.overlay.settings import Choices
from monai_unlearn.experiments.overlay.training import TrainingOverlay
from monai_unlearn.experiments.overlay.write import rendered


def training(tmp_path, name):
    root = write_bundle(tmp_path / "bundle", LAYOUTS[name](), weights=False)
    found = ConfigData.find(root, "train")
    assert found is not None
    return found


def written(overlay, **choices):
    documents = overlay.documents(["a", "b"], Choices(**choices), weights="models/model.pt")
    return yaml.safe_load(rendered("train_reference.yaml.jinja", documents))


def test_images_come_from_the_index_and_nothing_is_measured(tmp_path):
    content = written(TrainingOverlay.of(training(tmp_path, "endoscopic_inbody"), head="softmax"))
    assert content["train::dataset::data"] == "$@data.items(@parts, 'train')"
    assert content["train::dataloader::num_workers"] == 0
    assert content["train::trainer::decollate"] is False
    assert content["train::trainer::key_train_metric"] is None
    assert [one["_target_"] for one in content["train::trainer::train_handlers"]] == [
        "monai_unlearn.engine.ProgressBar"
    ]
    assert content["train::run"]["_target_"] == "monai_unlearn.engine.train"
    assert content["learning_rate"] == 0.001
    assert content["optimizer::lr"] == "@learning_rate"
    assert content["train::optimizer"] == "@optimizer"
    # The section is built as a whole, and what nothing else uses would open files that are not there.
    unused = {name for name, value in content.items() if value is None}
    assert unused >= {"run", "finalize", "validate", "train::handlers", "train::key_metric", "train::postprocessing"}
    assert not unused & {"train::dataset", "train::inferer", "train::preprocessing", "train::random_transforms"}


def test_a_config_without_sections(tmp_path):
    content = written(TrainingOverlay.of(training(tmp_path, "template"), head="softmax"))
    assert content["train"]["run"]["trainer"] == "@trainer"
    assert content["train"]["loss"] == "@lossfn"
    assert content["train_dataset::data"] == "$@data.items(@parts, 'train')"
    assert "learning_rate" not in content
    # Where `unlearn` reads them.
    assert content["checkpoint"] == "$@bundle_root + '/models/model.pt'"


def config(**changes):
    content = {
        "optimizer": {"_target_": "Adam", "lr": 0.1},
        "loss": {"_target_": "Loss"},
        "images": {"_target_": "Dataset", "data": [], "transform": []},
        "loader": {"_target_": "DataLoader", "dataset": "@images"},
        "trainer": {
            "_target_": "SupervisedTrainer",
            "train_data_loader": "@loader",
            "optimizer": "@optimizer",
            "loss_function": "@loss",
            "amp": True,
            "train_handlers": [{"_target_": "LrScheduleHandler", "lr_scheduler": "@scheduler", "print_lr": True}],
        },
        **changes,
    }
    return ConfigData(path=Path("train.json"), content=json.loads(json.dumps(content)))


def test_schedules_and_precision_are_kept_and_one_logit_gets_its_labels():
    edits = TrainingOverlay.of(config(), head="sigmoid").edits
    assert edits["train"]["run"]["head"] == "sigmoid"
    assert edits["trainer::train_handlers"][0] == {
        "_target_": "LrScheduleHandler",
        "lr_scheduler": "@scheduler",
        "print_lr": False,
    }
    assert edits["trainer::amp"] == "$torch.device(@device).type == 'cuda'"
    assert "float()" in edits["trainer::prepare_batch"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainer": {"_target_": "MyTrainer"}}, "it has 0 components SupervisedTrainer"),
        ({"train": [1]}, "its id train is no section"),
        ({"loader": "$make()"}, "trainer::train_data_loader is no component and refers to none"),
        ({"images": {"_target_": "PatchWSIDataset", "data": []}}, "images is a PatchWSIDataset, which is not made of"),
        (
            {
                "images": {
                    "_target_": "Dataset",
                    "data": [],
                    "transform": [{"_target_": "LoadImaged", "keys": ["image", "label"]}],
                }
            },
            "read the class from a file, by LoadImaged",
        ),
        ({"optimizer": {"_target_": "Adam", "lr": "$1 / 3"}}, "optimizer has no plain learning rate"),
    ],
)
def test_why_a_config_cannot_be_pointed_at_an_index(changes, message):
    with pytest.raises(ConfigError, match=message):
        TrainingOverlay.of(config(**changes), head="softmax")


def test_several_labels_are_trained_as_sets_by_the_same_cross_entropy():
    plain = {"loss": {"_target_": "torch.nn.BCEWithLogitsLoss", "reduction": "sum"}}
    content = written(TrainingOverlay.of(config(**plain), head="multilabel"), labels=("x", "y"))
    assert content["loss"] == {"_target_": "torch.nn.CrossEntropyLoss", "reduction": "sum"}
    assert content["data"]["label_key"] == ["x", "y"]
    assert "head='multilabel'" in content["network"]
    weighted = {"loss": {"_target_": "torch.nn.BCEWithLogitsLoss", "pos_weight": [1, 2]}}
    with pytest.raises(ConfigError, match="loss is not the plain binary cross entropy of each label"):
        TrainingOverlay.of(config(**weighted), head="multilabel")


def test_columns_that_fill_keys_are_those_of_unlearning():
    content = written(TrainingOverlay.of(config(), head="softmax"), columns={"label_file": "mask"})
    assert content["data"]["columns"] == {"label_file": "mask"}
