"""Classifier bundles laid out like those of MONAI's model zoo, from facts: structure, ids, keys, order of transforms.

No file of the zoo is copied. Networks are tiny; where the zoo uses torchvision's, which is not installed here, a module
in the bundle's `scripts/` stands for it, with outputs of the same form. What each layout has that ours have not:

| layout | of note |
| --- | --- |
| breast_density | JSON, no training config, auxiliary output, `pretrained: true`, sigmoid on exclusive classes |
| endoscopic_inbody | JSON, `#` in ids, keys by reference, `image_only: false`, files closed in `finalize` |
| pathology_tumor | JSON, no loader in preprocessing (patches are cut out of slides), one logit |
| pathology_nuclei | JSON, the key `label` is a mask that becomes the fourth channel, images one by one of a data list |
| template | YAML, lists of transforms apart and summed up, `CommonKeys`, a training config without sections |
| several_labels | JSON, a sigmoid for each of three labels, of which an image may have several |
| one_logit | the same with one logit of two classes, whose training can be pointed at an index |
| densenet_3d | YAML, volumes, metadata of the schema of 2024, weights in a dictionary, under `state_dict` |
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pandas as pd
import torch
import yaml
from monai.networks.nets import DenseNet, ResNet
from PIL import Image

from monai_unlearn.index import write_index
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import nn

SCHEMA_2022 = "https://schemas.example/meta_schema_20220324.json"
SCHEMA_2024 = "https://schemas.example/meta_schema_20240725.json"
DEVICE = "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')"
SMALL = {"init_features": 8, "growth_rate": 4, "block_config": [1, 1], "bn_size": 2}
SMALL_RESNET = {"block": "basic", "layers": [1, 1, 1, 1], "block_inplanes": [4, 8, 8, 8], "no_max_pool": True}
PATIENTS = 24

AUXILIARY = '''
from collections import namedtuple

from torch import nn

Outputs = namedtuple("Outputs", ["logits", "aux_logits"])


class Auxiliary(nn.Module):
    """Returns two outputs while it trains, and one otherwise, as Inception does."""

    def __init__(self, num_classes=4, pretrained=False):
        super().__init__()
        if pretrained:
            raise RuntimeError("this would download weights")
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.fc = nn.Linear(32, num_classes)
        self.aux = nn.Linear(32, num_classes)

    def forward(self, x):
        x = self.features(x).flatten(1)
        return Outputs(self.fc(x), self.aux(x)) if self.training else self.fc(x)
'''
ONE_LOGIT = '''
from torch import nn


class OneLogit(nn.Module):
    """One logit for each patch."""

    def __init__(self, num_classes=1, use_conv=True, pretrained=False):
        super().__init__()
        if pretrained:
            raise RuntimeError("this would download weights")
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.fc = nn.Conv2d(8, num_classes, 1)

    def forward(self, x):
        return self.fc(self.features(x)).flatten(1)
'''


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A bundle to build.

    Attributes:
        files: Texts, or the content of JSON and YAML, by their path in the bundle.
        classes: The classes of its images.
        network: Builds the network whose weights it gets; None for the class of that name in `scripts/`.
        spatial: The shape of its images.
        channels: 1 for grey images, 3 for colour.
        wrapped: The key under which its weights stand in their file.
        masks: Whether each image has a mask.
        several: Whether an image may have several of the classes, each in a column of its own.
        healthy: What means no disease; the first class by default.
        options: What `init-overlay` must be told.
        trains: Whether its training can be pointed at an index.
        codes: What `init-overlay` notes, beside that no class is healthy.
    """

    files: Mapping[str, Any]
    classes: tuple[str, ...]
    network: Callable[[], nn.Module] | str
    spatial: tuple[int, ...] = (32, 32)
    channels: int = 3
    wrapped: str | None = None
    masks: bool = False
    several: bool = False
    healthy: str | None = None
    options: tuple[str, ...] = ()
    trains: bool = True
    codes: tuple[str, ...] = ()


def metadata(
    classes: Mapping[str, str], *, channels: int, spatial: list[int], schema: str = SCHEMA_2022
) -> dict[str, Any]:
    packages = "optional_packages_version" if schema == SCHEMA_2022 else "required_packages_version"
    return {
        "schema": schema,
        "version": "0.4.9",
        "changelog": {"0.4.9": "as it was"},
        "monai_version": "1.4.0",
        "pytorch_version": "2.4.0",
        "numpy_version": "1.24.4",
        packages: {},
        "name": "A classifier of somebody",
        "task": "Classification",
        "description": "For tests.",
        "authors": "Somebody",
        "copyright": "Somebody",
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "num_channels": channels,
                    "spatial_shape": spatial,
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {"0": "image"},
                }
            },
            "outputs": {
                "pred": {
                    "type": "probabilities",
                    "format": "classes",
                    "num_channels": len(classes),
                    "spatial_shape": [1, len(classes)],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": dict(classes),
                }
            },
        },
    }


def compose(*transforms: dict[str, Any]) -> dict[str, Any]:
    return {"_target_": "Compose", "transforms": list(transforms)}


def evaluator(**extra: Any) -> dict[str, Any]:
    return {
        "_target_": "SupervisedEvaluator",
        "device": "@device",
        "val_data_loader": "@dataloader",
        "network": "@network",
        "inferer": "@inferer",
        "postprocessing": "@postprocessing",
        "val_handlers": "@handlers",
        **extra,
    }


def loader_of_weights(path: str) -> dict[str, Any]:
    return {"_target_": "CheckpointLoader", "load_path": path, "load_dict": {"model": "@network"}}


def _loading() -> dict[str, Any]:
    return {
        "dataset": {"_target_": "Dataset", "data": "@test_dict", "transform": "@preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1, "num_workers": 4},
        "inferer": {"_target_": "SimpleInferer"},
    }


def _trainer(**references: str) -> dict[str, Any]:
    return {
        "_target_": "SupervisedTrainer",
        "max_epochs": 2,
        "device": "@device",
        "network": "@network",
        **{key: f"@{name}" for key, name in references.items()},
    }


def breast_density() -> Layout:
    inference = {
        "import": ["$import glob", "$import os", "$import torchvision"],
        "bundle_root": ".",
        "model_dir": "$@bundle_root + '/models'",
        "data": {"_target_": "scripts.createList.CreateList", "filename": "./configs/sample_image_data.json"},
        "test_imagelist": "$@data.create_dataset('Test')[0]",
        "dataset": {
            "_target_": "CacheDataset",
            "data": "$[{'image': i} for i in @test_imagelist]",
            "transform": "@preprocessing",
        },
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 4, "num_workers": 4},
        "device": DEVICE,
        "network_def": {"_target_": "scripts.auxiliary.Auxiliary", "num_classes": 4, "pretrained": True},
        "network": "$@network_def.to(@device)",
        "preprocessing": compose(
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "EnsureChannelFirstd", "keys": "image", "channel_dim": 2},
            {"_target_": "ScaleIntensityd", "keys": "image", "minv": 0.0, "maxv": 1.0},
            {"_target_": "Resized", "keys": "image", "spatial_size": [24, 24]},
        ),
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": compose({"_target_": "Activationsd", "keys": "pred", "sigmoid": True}),
        "handlers": [loader_of_weights("$@model_dir + '/model.pt'"), {"_target_": "StatsHandler"}],
        "evaluator": evaluator(amp=True),
        "evaluating": ["$setattr(torch.backends.cudnn, 'benchmark', True)", "$@evaluator.run()"],
    }
    return Layout(
        files={
            "configs/inference.json": inference,
            "configs/metadata.json": metadata(dict(zip("0123", "ABCD", strict=True)), channels=3, spatial=[24, 24]),
            "scripts/__init__.py": "",
            "scripts/auxiliary.py": AUXILIARY,
        },
        classes=tuple("ABCD"),
        network="Auxiliary",
        trains=False,
        codes=("pretrained", "sigmoid"),
    )


def endoscopic_inbody() -> Layout:
    def transforms(key: str, **loading: Any) -> list[dict[str, Any]]:
        return [
            {"_target_": "LoadImaged", "keys": key, **loading},
            {"_target_": "EnsureChannelFirstd", "keys": key, "channel_dim": -1},
            {"_target_": "Resized", "keys": key, "spatial_size": [16, 16], "mode": "bilinear"},
            {"_target_": "CastToTyped", "dtype": "$torch.float32", "keys": key},
            {"_target_": "NormalizeIntensityd", "nonzero": True, "channel_wise": True, "keys": key},
            {"_target_": "EnsureTyped", "keys": key},
        ]

    network = {"_target_": "ResNet", "spatial_dims": 2, "n_input_channels": 3, "num_classes": 2, **SMALL_RESNET}
    inference = {
        "imports": ["$import json", "$import os", "$import numpy", "$import torch"],
        "bundle_root": ".",
        "image_key": "image",
        "load_pretrain": True,
        "dataset_dir": "/workspace/data/endoscopic",
        "test_json": "$@bundle_root+'/label/test_samples.json'",
        "test_fp": "$open(@test_json,'r', encoding='utf8')",
        "test_dict": "$json.load(@test_fp)",
        "device": DEVICE,
        "network_def": network,
        "network": "$@network_def.to(@device)",
        "preprocessing": compose(*transforms("@image_key", image_only=False)),
        **_loading(),
        "postprocessing": compose({"_target_": "AsDiscreted", "argmax": True, "to_onehot": 2, "keys": ["pred"]}),
        "handlers": [{"_target_": "StatsHandler", "iteration_log": True}],
        "evaluator": evaluator(),
        "checkpointloader": loader_of_weights("$@bundle_root + '/models/model.pt'"),
        "initialize": [
            "$monai.utils.set_determinism(seed=123)",
            "$@checkpointloader(@evaluator) if @load_pretrain else None",
        ],
        "run": ["$@evaluator.run()"],
        "finalize": ["$@test_fp.close()"],
    }
    before = [*transforms("image")[:1], {"_target_": "ToTensord", "keys": "label"}, *transforms("image")[1:]]
    train = {
        "imports": ["$import torch", "$import json", "$import ignite", "$import os"],
        "bundle_root": ".",
        "ckpt_dir": "$@bundle_root + '/models'",
        "output_dir": "$@bundle_root + '/eval'",
        "train_json": "$@bundle_root+'/label/train_samples.json'",
        "train_fp": "$open(@train_json,'r', encoding='utf8')",
        "train_dict": "$json.load(@train_fp)",
        "val_interval": 1,
        "device": DEVICE,
        "network_def": network,
        "network": "$@network_def.to(@device)",
        "loss": {"_target_": "torch.nn.CrossEntropyLoss", "reduction": "sum"},
        "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": 0.001},
        "train": {
            "deterministic_transforms": before,
            "random_transforms": [{"_target_": "RandFlipd", "spatial_axis": 0, "prob": 0.5, "keys": "image"}],
            "preprocessing": {
                "_target_": "Compose",
                "transforms": "$@train#deterministic_transforms + @train#random_transforms",
            },
            "dataset": {"_target_": "Dataset", "data": "@train_dict", "transform": "@train#preprocessing"},
            "dataloader": {
                "_target_": "DataLoader",
                "dataset": "@train#dataset",
                "batch_size": 8,
                "shuffle": True,
                "num_workers": 4,
            },
            "inferer": {"_target_": "SimpleInferer"},
            "handlers": [
                {
                    "_target_": "ValidationHandler",
                    "validator": "@validate#evaluator",
                    "epoch_level": True,
                    "interval": "@val_interval",
                },
                {"_target_": "TensorBoardStatsHandler", "log_dir": "@output_dir", "tag_name": "train_loss"},
            ],
            "key_metric": {
                "train_accu": {
                    "_target_": "ignite.metrics.Accuracy",
                    "output_transform": "$monai.handlers.from_engine(['pred', 'label'])",
                }
            },
            "postprocessing": compose(
                {"_target_": "AsDiscreted", "argmax": [True, False], "to_onehot": [2, 2], "keys": ["pred", "label"]}
            ),
            "trainer": _trainer(
                train_data_loader="train#dataloader",
                loss_function="loss",
                optimizer="optimizer",
                inferer="train#inferer",
                postprocessing="train#postprocessing",
                key_train_metric="train#key_metric",
                train_handlers="train#handlers",
            ),
        },
        "validate": {"evaluator": {"_target_": "SupervisedEvaluator", "val_data_loader": "$json.load(open('none'))"}},
        "initialize": ["$monai.utils.set_determinism(seed=123)"],
        "run": ["$@train#trainer.run()"],
        "finalize": ["$@train_fp.close()"],
    }
    return Layout(
        files={
            "configs/inference.json": inference,
            "configs/train.json": train,
            "configs/metadata.json": metadata({"0": "in body", "1": "out body"}, channels=3, spatial=[32, 32]),
        },
        classes=("in body", "out body"),
        network=lambda: ResNet(spatial_dims=2, n_input_channels=3, num_classes=2, **SMALL_RESNET),
        wrapped="model",
    )


def pathology_tumor() -> Layout:
    scaled = {
        "_target_": "ScaleIntensityRanged",
        "keys": "image",
        "a_min": 0.0,
        "a_max": 255.0,
        "b_min": -1.0,
        "b_max": 1.0,
    }
    network = {"_target_": "scripts.one_logit.OneLogit", "num_classes": 1, "use_conv": True}
    inference = {
        "imports": ["$import glob", "$import os"],
        "bundle_root": ".",
        "dataset_dir": "/workspace/data/pathology",
        "testing_file": "$os.path.join(@bundle_root, 'testing.csv')",
        "wsi_reader": "cuCIM",
        "patch_size": [24, 24],
        "device": DEVICE,
        "network_def": {**network, "pretrained": True},
        "network": "$@network_def.to(@device)",
        "preprocessing": compose(
            {"_target_": "CastToTyped", "keys": "image", "dtype": "float32"},
            scaled,
            {"_target_": "ToTensord", "keys": "image"},
        ),
        "datalist": {"_target_": "CSVDataset", "src": "@testing_file"},
        "dataset": {
            "_target_": "MaskedPatchWSIDataset",
            "data": "@datalist",
            "transform": "@preprocessing",
            "reader": "@wsi_reader",
        },
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 400},
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": compose({"_target_": "Activationsd", "keys": "pred", "sigmoid": True}),
        "handlers": [loader_of_weights("$@bundle_root + '/models/model.pt'")],
        "evaluator": evaluator(amp=True, decollate=False),
        "run": ["$@evaluator.run()"],
    }
    train = {
        "imports": ["$import os", "$import ignite"],
        "lr": 0.001,
        "num_epochs": 4,
        "bundle_root": ".",
        "training_file": "$os.path.join(@bundle_root, 'training.csv')",
        "device": DEVICE,
        "network_def": {**network, "pretrained": False},
        "network": "$@network_def.to(@device)",
        "loss": {"_target_": "torch.nn.BCEWithLogitsLoss"},
        "optimizer": {"_target_": "Novograd", "params": "$@network.parameters()", "lr": "@lr"},
        "train": {
            "datalist": {"_target_": "CSVDataset", "src": "@training_file"},
            "dataset": {
                "_target_": "monai.data.wsi_datasets.PatchWSIDataset",
                "data": "@train#datalist",
                "patch_level": 0,
            },
            "dataloader": {"_target_": "DataLoader", "dataset": "@train#dataset", "batch_size": 128},
            "inferer": {"_target_": "SimpleInferer"},
            "trainer": _trainer(
                train_data_loader="train#dataloader",
                loss_function="loss",
                optimizer="optimizer",
                inferer="train#inferer",
            ),
        },
        "run": ["$@train#trainer.run()"],
    }
    found = metadata({"0": "metastasis"}, channels=3, spatial=[24, 24])
    found["network_data_format"]["inputs"]["image"]["value_range"] = [0, 255]
    return Layout(
        files={
            "configs/inference.json": inference,
            "configs/train.json": train,
            "configs/metadata.json": found,
            "scripts/one_logit.py": ONE_LOGIT,
            "scripts/lesion_froc.py": "",
        },
        classes=("normal", "metastasis"),
        network="OneLogit",
        spatial=(24, 24),
        trains=False,
        codes=("no_loader", "no_training", "pretrained"),
    )


def pathology_nuclei() -> Layout:
    network = {"_target_": "DenseNet", "spatial_dims": 2, "in_channels": 4, "out_channels": 4, **SMALL}
    scaled = {
        "_target_": "ScaleIntensityRanged",
        "keys": "image",
        "a_min": 0.0,
        "a_max": 255.0,
        "b_min": -1.0,
        "b_max": 1.0,
    }
    loading = [
        {"_target_": "LoadImaged", "keys": ["image", "label"], "dtype": "uint8", "image_only": False},
        {"_target_": "EnsureChannelFirstd", "keys": ["image", "label"]},
    ]
    guidance = {"_target_": "AddLabelAsGuidanced", "keys": "image", "source": "label"}
    inference = {
        "imports": ["$import glob", "$import json", "$import pathlib", "$import os"],
        "bundle_root": ".",
        "checkpoint": "$@bundle_root + '/models/model.pt'",
        "dataset_dir": "/workspace/data/nuclei",
        "images": "$list(sorted(glob.glob(@dataset_dir + '/Test/Images/*.png')))[:1]",
        "input_data": "$[{'image': i} for i in @images]",
        "device": DEVICE,
        "network_def": network,
        "network": "$@network_def.to(@device)",
        "preprocessing": compose(*loading, scaled, guidance),
        "dataset": {"_target_": "Dataset", "data": "@input_data", "transform": "@preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1},
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": compose({"_target_": "Activationsd", "keys": "pred", "softmax": True}),
        "handlers": [loader_of_weights("$@checkpoint"), {"_target_": "StatsHandler", "iteration_log": False}],
        "evaluator": evaluator(amp=True),
        "initialize": ["$monai.utils.set_determinism(seed=123)", "$import scripts"],
        "run": ["$@evaluator.run()"],
    }
    train = {
        "imports": ["$import glob", "$import ignite", "$import json"],
        "bundle_root": ".",
        "dataset_json": "$@bundle_root + '/dataset.json'",
        "train_datalist": "$json.loads(pathlib.Path(@dataset_json).read_text())['training']",
        "device": DEVICE,
        "network_def": network,
        "network": "$@network_def.to(@device)",
        "loss": {"_target_": "torch.nn.CrossEntropyLoss"},
        "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": 0.0001},
        "train": {
            "preprocessing": compose(*loading, scaled, guidance),
            "dataset": {"_target_": "CacheDataset", "data": "@train_datalist", "transform": "@train#preprocessing"},
            "dataloader": {"_target_": "DataLoader", "dataset": "@train#dataset", "batch_size": 64},
            "trainer": _trainer(train_data_loader="train#dataloader", loss_function="loss", optimizer="optimizer"),
        },
        "run": ["$@train#trainer.run()"],
    }
    classes = ("Other", "Inflammatory", "Epithelial", "Spindle-Shaped")
    return Layout(
        files={
            "configs/inference.json": inference,
            "configs/train.json": train,
            "configs/metadata.json": metadata(dict(zip("0123", classes, strict=True)), channels=4, spatial=[24, 24]),
            "scripts/__init__.py": "",
        },
        classes=classes,
        network=lambda: DenseNet(spatial_dims=2, in_channels=4, out_channels=4, **_plain(SMALL)),
        spatial=(24, 24),
        masks=True,
        options=("--column", "label=mask"),
        trains=False,
        codes=("no_training",),
    )


def template() -> Layout:
    network = {"_target_": "DenseNet", "spatial_dims": 2, "in_channels": 1, "out_channels": "@num_classes", **SMALL}
    common = {
        "image": "$monai.utils.CommonKeys.IMAGE",
        "label": "$monai.utils.CommonKeys.LABEL",
        "pred": "$monai.utils.CommonKeys.PRED",
        "batch_size": 8,
        "num_workers": 0,
        "num_classes": 4,
        "device": DEVICE,
        "bundle_root": ".",
        "ckpt_path": "$@bundle_root + '/models/model.pt'",
        "network_def": network,
        "network": "$@network_def.to(@device)",
    }
    loading = [{"_target_": "LoadImaged", "keys": "@image"}, {"_target_": "EnsureChannelFirstd", "keys": "@image"}]
    scaled = {"_target_": "ScaleIntensityd", "keys": "@image"}
    inference = {
        "imports": ["$import os", "$import json", "$import torch", "$import glob"],
        **common,
        "test_json": "$@bundle_root+'/data/test_samples.json'",
        "test_fp": "$open(@test_json,'r', encoding='utf8')",
        "test_dict": "$json.load(@test_fp)",
        "transforms": [*loading, scaled],
        "preprocessing": {"_target_": "Compose", "transforms": "$@transforms"},
        "dataset": {"_target_": "Dataset", "data": "@test_dict", "transform": "@preprocessing"},
        "dataloader": {"_target_": "ThreadDataLoader", "dataset": "@dataset", "batch_size": "@batch_size"},
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": compose(
            {"_target_": "Activationsd", "keys": "@pred", "softmax": True},
            {
                "_target_": "AsDiscreted",
                "keys": ["@pred", "@label"],
                "argmax": [True, False],
                "to_onehot": "@num_classes",
            },
        ),
        "val_handlers": [
            {"_disabled_": "$not os.path.exists(@ckpt_path)", **loader_of_weights("@ckpt_path")},
            {"_target_": "StatsHandler", "name": None},
        ],
        "evaluator": evaluator(val_handlers="@val_handlers"),
        "initialize": ["$setattr(torch.backends.cudnn, 'benchmark', True)"],
        "run": ["$@evaluator.run()"],
    }
    train = {
        "imports": ["$import os", "$import json", "$import datetime", "$import torch"],
        **common,
        "learning_rate": 0.001,
        "data_json": "$@bundle_root + '/data/train_samples.json'",
        "data_fp": "$open(@data_json,'r', encoding='utf8')",
        "data_dict": "$json.load(@data_fp)",
        "partitions": "$monai.data.partition_dataset(@data_dict, (4, 1), shuffle=True, seed=0)",
        "train_sub": "$@partitions[0]",
        "base_transforms": loading,
        "train_transforms": [{"_target_": "RandAxisFlipd", "keys": "@image", "prob": 0.5}, scaled],
        "preprocessing": {"_target_": "Compose", "transforms": "$@base_transforms + @train_transforms"},
        "train_dataset": {"_target_": "Dataset", "data": "@train_sub", "transform": "@preprocessing"},
        "train_dataloader": {
            "_target_": "ThreadDataLoader",
            "dataset": "@train_dataset",
            "batch_size": "@batch_size",
            "repeats": 1,
            "num_workers": "@num_workers",
        },
        "lossfn": {"_target_": "torch.nn.CrossEntropyLoss", "reduction": "sum"},
        "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": "@learning_rate"},
        "inferer": {"_target_": "SimpleInferer"},
        "trainer": _trainer(
            train_data_loader="train_dataloader", loss_function="lossfn", optimizer="optimizer", inferer="inferer"
        ),
        "run": ["$@trainer.run()"],
    }
    names = ("background", "circle", "triangle", "rectangle")
    return Layout(
        files={
            "configs/inference.yaml": inference,
            "configs/train.yaml": train,
            "configs/metadata.json": metadata(dict(zip("0123", names, strict=True)), channels=1, spatial=[32, 32]),
            "large_files.yml": {
                "large_files": [{"path": "models/model.pt", "url": "https://weights.example/model.pt"}]
            },
        },
        classes=names,
        network=lambda: DenseNet(spatial_dims=2, in_channels=1, out_channels=4, **_plain(SMALL)),
        channels=1,
    )


def several_labels() -> Layout:
    network = {"_target_": "DenseNet", "spatial_dims": 2, "in_channels": 1, "out_channels": 3, **SMALL}
    loading = [
        {"_target_": "LoadImaged", "keys": "image"},
        {"_target_": "EnsureChannelFirstd", "keys": "image"},
        {"_target_": "ScaleIntensityd", "keys": "image"},
    ]
    common = {
        "imports": ["$import json"],
        "bundle_root": ".",
        "test_dict": [],
        "device": DEVICE,
        "network_def": network,
        "network": "$@network_def.to(@device)",
        "preprocessing": compose(*loading),
    }
    inference = {
        **common,
        **_loading(),
        "postprocessing": compose(
            {"_target_": "Activationsd", "keys": "pred", "sigmoid": True},
            {"_target_": "AsDiscreted", "keys": "pred", "threshold": 0.5},
        ),
        "handlers": [loader_of_weights("$@bundle_root + '/models/model.pt'")],
        "evaluator": evaluator(),
        "run": ["$@evaluator.run()"],
    }
    train = {
        **common,
        "loss": {"_target_": "torch.nn.BCEWithLogitsLoss"},
        "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": 0.001},
        "images": {"_target_": "Dataset", "data": "$json.load(open('train.json'))", "transform": "@preprocessing"},
        "loader": {"_target_": "DataLoader", "dataset": "@images", "batch_size": 8, "shuffle": True},
        "trainer": _trainer(train_data_loader="loader", loss_function="loss", optimizer="optimizer"),
        "run": ["$@trainer.run()"],
    }
    names = ("edema", "mass", "effusion")
    return Layout(
        files={
            "configs/inference.json": inference,
            "configs/train.json": train,
            "configs/metadata.json": metadata(dict(zip("012", names, strict=True)), channels=1, spatial=[24, 24]),
        },
        classes=names,
        network=lambda: DenseNet(spatial_dims=2, in_channels=1, out_channels=3, **_plain(SMALL)),
        spatial=(24, 24),
        channels=1,
        several=True,
        healthy="no edema",
    )


def one_logit() -> Layout:
    """The layout of several labels with a single one, of two exclusive classes."""
    layout = several_labels()
    files = {**layout.files, "configs/metadata.json": metadata({"0": "mass"}, channels=1, spatial=[24, 24])}
    for name in ("configs/inference.json", "configs/train.json"):
        files[name] = {**files[name], "network_def": {**files[name]["network_def"], "out_channels": 1}}
    return replace(
        layout,
        files=files,
        classes=("normal", "mass"),
        network=lambda: DenseNet(spatial_dims=2, in_channels=1, out_channels=1, **_plain(SMALL)),
        several=False,
        healthy=None,
    )


def densenet_3d() -> Layout:
    network = {"_target_": "DenseNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, **SMALL}
    inference = {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": DEVICE,
        "test_dict": [],
        "network_def": network,
        "network": "$@network_def.to(@device)",
        "preprocessing": compose(
            {"_target_": "LoadImaged", "keys": ["image"], "reader": "NibabelReader"},
            {"_target_": "EnsureChannelFirstd", "keys": ["image"]},
            {"_target_": "Orientationd", "keys": ["image"], "axcodes": "RAS"},
            {
                "_target_": "ScaleIntensityRanged",
                "keys": ["image"],
                "a_min": 0,
                "a_max": 255,
                "b_min": 0,
                "b_max": 1,
                "clip": True,
            },
            {"_target_": "Resized", "keys": ["image"], "spatial_size": [16, 16, 16]},
        ),
        **_loading(),
        "postprocessing": compose({"_target_": "Activationsd", "keys": "pred", "softmax": True}),
        "handlers": [loader_of_weights("$@bundle_root + '/models/model.pt'")],
        "evaluator": evaluator(),
        "run": ["$@evaluator.run()"],
    }
    found = metadata({"0": "absent", "1": "present"}, channels=1, spatial=[16, 16, 16], schema=SCHEMA_2024)
    return Layout(
        files={"configs/inference.yaml": inference, "configs/metadata.json": found},
        classes=("absent", "present"),
        network=lambda: DenseNet(spatial_dims=3, in_channels=1, out_channels=2, **_plain(SMALL)),
        spatial=(16, 16, 16),
        channels=1,
        wrapped="state_dict",
        trains=False,
    )


LAYOUTS: dict[str, Callable[[], Layout]] = {
    "breast_density": breast_density,
    "endoscopic_inbody": endoscopic_inbody,
    "pathology_tumor": pathology_tumor,
    "pathology_nuclei": pathology_nuclei,
    "template": template,
    "several_labels": several_labels,
    "one_logit": one_logit,
    "densenet_3d": densenet_3d,
}


def write_bundle(root: Path, layout: Layout, *, weights: bool = True) -> Path:
    """Write the bundle of a layout, with fresh weights."""
    for name, content in layout.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(name, content), encoding="utf-8")
    (root / "models").mkdir()
    if weights:
        torch.manual_seed(0)
        state: Any = _network(layout).state_dict()
        torch.save({layout.wrapped: state, "epoch": 3} if layout.wrapped else state, root / "models" / "model.pt")
    return root


def write_data(folder: Path, layout: Layout) -> Path:
    """Write images of the classes of a layout, half of them by an old device, and their index; return it."""
    random = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(PATIENTS):
        place = number % len(layout.classes)
        device = ("Old", "New")[number // len(layout.classes) % 2]
        path, mask = _write_image(folder / "images", number, place, device, layout, random)
        rows.append(
            {
                "image_id": f"image-{number:03}",
                "path": str(path),
                "patient": f"patient-{number:03}",
                "ManufacturerModelName": device,
                "diagnosis": layout.classes[place],
                "mask": mask,
                **{name: float((number >> bit) & 1) for bit, name in enumerate(layout.classes) if layout.several},
            }
        )
    kinds = dict.fromkeys(("ManufacturerModelName", "diagnosis", "mask"), Kind.TEXT)
    kinds |= dict.fromkeys(layout.classes if layout.several else (), Kind.NUMBER)
    write_index(pd.DataFrame(rows), folder / "index", kinds=kinds, label=None if layout.several else "diagnosis")
    return folder / "index"


def _write_image(
    folder: Path, number: int, place: int, device: str, layout: Layout, random: np.random.Generator
) -> tuple[Path, str]:
    """Write one image, brighter in the place of its class, and its mask, named relative to it."""
    shape = layout.spatial if layout.channels == 1 else (*layout.spatial, layout.channels)
    pixels = random.integers(0, 40, shape) + (20 if device == "Old" else 80)
    width = layout.spatial[0] // len(layout.classes)
    pixels[place * width : (place + 1) * width] += 90
    if len(layout.spatial) == 3:
        path = folder / f"{number}.nii.gz"
        nib.save(nib.Nifti1Image(pixels.astype(np.uint8), np.eye(4)), path)
    else:
        path = folder / f"{number}.png"
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    mask = f"{number}_mask.tif"
    if layout.masks:
        (folder / "masks").mkdir(exist_ok=True)
        mask = f"masks/{number}.png"
        Image.fromarray((pixels.mean(-1) > 100).astype(np.uint8)).save(folder / mask)
    return path, mask


def _network(layout: Layout) -> nn.Module:
    if callable(layout.network):
        return layout.network()
    namespace: dict[str, Any] = {}
    (code,) = (text for text in layout.files.values() if isinstance(text, str) and f"class {layout.network}(" in text)
    exec(code, namespace)  # noqa: S102 - the bundle's own module, written above
    network: nn.Module = namespace[layout.network]()
    return network


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}


def _text(name: str, content: Any) -> str:
    if isinstance(content, str):
        return content
    return json.dumps(content, indent=4) if name.endswith(".json") else yaml.safe_dump(content, sort_keys=False)
