from __future__ import annotations

import pytest
import yaml
from bundle_run import BUNDLE
from zoo_classifiers import LAYOUTS, write_bundle

from monai_unlearn.experiments.overlay.facts import BundleFacts
from monai_unlearn.experiments.overlay.settings import (
    Choices,
    Settings,
    config_files,
    flow,
    line,
    number,
    pixels_of,
    pretrained_off,
)
from monai_unlearn.experiments.overlay.write import rendered


def settings(tmp_path, name, *, head="softmax", **choices):
    facts = BundleFacts.read(write_bundle(tmp_path / "bundle", LAYOUTS[name](), weights=False))
    return Settings(
        facts=facts,
        choices=Choices(**choices),
        class_names=facts.outputs.names,
        head=head,
        has_training=False,
        pixels=pixels_of(facts),
    )


def written(found):
    return yaml.safe_load(rendered("unlearn.yaml.jinja", found.documents))


def test_what_others_run_is_switched_off_and_pretrained_weights_are(tmp_path):
    found = settings(tmp_path, "breast_density")
    content = written(found)
    assert pretrained_off(found.facts) == {"network_def::pretrained": False}
    assert content["network_def::pretrained"] is False
    assert {name for name, value in content.items() if value is None} >= {
        "evaluating",
        "handlers",
        "evaluator",
        "dataset",
    }
    assert content["class_names"] == list("ABCD")
    assert content["pixel_space"]["mean"] == [0, 0, 0]
    assert "low" not in content["pixel_space"]
    assert "preprocessing" not in content


def test_run_and_finalize_are_switched_off_and_imports_are_kept(tmp_path):
    content = written(settings(tmp_path, "endoscopic_inbody"))
    assert content["run"] is None
    assert content["finalize"] is None
    assert content["checkpointloader"] is None
    assert content["imports"] == [
        *("$import json", "$import os", "$import numpy", "$import torch"),
        "$import monai_unlearn.engine as engine",
        "$import monai_unlearn.methods as methods",
    ]
    assert content["initialize"][0] == "$engine.report_errors()"
    assert (content["pixel_space"]["low"], content["pixel_space"]["high"]) == (-5, 5)


def test_a_loader_is_put_before_preprocessing_that_has_none(tmp_path):
    content = written(settings(tmp_path, "pathology_tumor", head="sigmoid"))
    targets = [step["_target_"] for step in content["preprocessing"]["transforms"]]
    assert targets[:3] == ["monai_unlearn.data.LoadImage2Dd", "ScaleIntensityRanged", "CastToTyped"]
    assert content["preprocessing"]["transforms"][1]["b_max"] == 255.0
    assert content["head"] == "sigmoid"
    assert (content["pixel_space"]["low"], content["pixel_space"]["high"]) == (-1, 1)


def test_a_label_that_is_a_file_gets_another_key(tmp_path):
    content = written(settings(tmp_path, "pathology_nuclei", columns={"label_file": "mask"}))
    assert content["data"]["columns"] == {"label_file": "mask"}
    assert content["preprocessing"]["transforms"][0]["keys"] == ["image", "label_file"]
    assert content["pixel_space"]["mean"] == [0, 0, 0, 0]


def test_the_output_that_holds_the_logits(tmp_path):
    assert written(settings(tmp_path, "template", output="logits"))["network_output"] == "logits"


def test_several_labels_are_in_columns(tmp_path):
    content = written(settings(tmp_path, "template", head="multilabel", labels=("x", "y")))
    assert content["head"] == "multilabel"
    assert content["data"]["label_key"] == ["x", "y"]


def test_a_volume_without_a_loader(tmp_path):
    found = settings(tmp_path, "densenet_3d")
    content = found.facts.config.content
    content["preprocessing"]["transforms"][:3] = []
    facts = BundleFacts.read(found.facts.root)
    (facts.root / "configs" / "inference.yaml").write_text(yaml.safe_dump(dict(content)))
    facts = BundleFacts.read(facts.root)
    content = written(
        Settings(
            facts=facts, choices=Choices(), class_names=(), head="softmax", has_training=False, pixels=pixels_of(facts)
        )
    )
    assert [step["_target_"] for step in content["preprocessing"]["transforms"]][:2] == [
        "LoadImaged",
        "EnsureChannelFirstd",
    ]


def test_other_names_of_preprocessing(tmp_path):
    root = write_bundle(tmp_path / "bundle", LAYOUTS["template"](), weights=False)
    path = root / "configs" / "inference.yaml"
    path.write_text(
        path.read_text().replace("preprocessing:\n", "pre_transforms:\n").replace("@preprocessing", "@pre_transforms")
    )
    facts = BundleFacts.read(root)
    found = Settings(
        facts=facts, choices=Choices(), class_names=("a",), head="softmax", has_training=False, pixels=pixels_of(facts)
    )
    assert written(found)["preprocessing"] == "@pre_transforms"
    # With another key, the transforms are written out.
    path.write_text(path.read_text().replace("$monai.utils.CommonKeys.IMAGE", "img"))
    facts = BundleFacts.read(root)
    found = Settings(
        facts=facts, choices=Choices(), class_names=("a",), head="softmax", has_training=False, pixels=pixels_of(facts)
    )
    assert {step["keys"] for step in written(found)["preprocessing"]["transforms"]} == {"image"}


def test_command_lines():
    assert config_files("a b", BundleFacts.read(BUNDLE)) == "a b/configs/unlearn.yaml"


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (-0.5, "-0.5")])
def test_numbers(value, text):
    assert number(value) == text


def test_one_line():
    assert flow([]) == "[]"
    assert line("$import os") == "$import os"
    assert line("a: b") == "'a: b'"
