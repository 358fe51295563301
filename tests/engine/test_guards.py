from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from cohort_index import HEAD, make_index
from torch import nn

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.engine.guards import check_finite, check_fits, check_labels, check_spec_stays
from monai_unlearn.errors import ConfigError, DataError, TrainingError
from monai_unlearn.vocabulary.fields import Kind

CLASSES = ("up", "down")


def check(network=None, *, labels=(0, 1), forget=1, remain=1, channels=3):
    data = SimpleNamespace(frame=pd.DataFrame({"class_index": labels}), class_names=CLASSES, names=CLASSES)
    image = {"image": torch.zeros(channels, 2, 2), "label": 0}
    subsets = {("forget", "train"): [image] * forget, ("remain", "train"): [image] * remain}
    check_fits(network or classifier(2), data=data, subsets=subsets, device="cpu")


def classifier(classes):
    return nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, classes))


def test_what_fits_passes_and_the_network_is_unchanged():
    network = classifier(2).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    check(network)
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("part", ["forget", "remain"])
def test_refuses_an_empty_part(part):
    with pytest.raises(DataError, match=f"the {part} part has no training image"):
        check(**{part: 0})


@pytest.mark.parametrize(("labels", "named"), [((0, 2), 2), ((-1, 1), -1)])
def test_refuses_a_label_out_of_range(labels, named):
    with pytest.raises(DataError, match=f"a label is class number {named}; there are 2 classes, up, down"):
        check(labels=labels)


def test_refuses_a_network_with_other_outputs():
    with pytest.raises(ConfigError, match=r"expected outputs of shape \(1, 2\) .* got \(1, 3\)"):
        check(classifier(3))


def test_refuses_a_network_that_cannot_process_the_images():
    with pytest.raises(ConfigError, match=r"cannot process an image of shape \(1, 2, 2\)"):
        check(channels=1)


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 2], 2, "a remain image of step 7 has class number 2; the network has classes 0 to 1"),
        ([-1, 1], 2, "a remain image of step 7 has class number -1; the network has classes 0 to 1"),
        ([-1, 1], None, "has class number -1; the network has classes 0 to unknown"),
    ],
)
def test_refuses_a_label_of_a_batch_that_is_not_a_class(labels, classes, message):
    batch = {"forget": {"label": torch.tensor([0, 1])}, "remain": {"label": torch.tensor(labels)}}
    with pytest.raises(DataError, match=message):
        check_labels(batch, classes=classes, step=7)


def test_labels_that_are_classes_pass():
    check_labels({"forget": {"label": torch.tensor([0, 1])}}, classes=2, step=1)
    check_labels({"forget": {"label": torch.tensor([0, 9])}}, classes=None, step=1)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_weights_that_are_not_finite_are_named(value):
    network = nn.Linear(2, 1)
    check_finite(network)
    network.bias.data[0] = value
    with pytest.raises(TrainingError, match="'bias' is not finite"):
        check_finite(network)


@pytest.mark.parametrize(
    ("forget", "folder", "stays"),
    [("device == old", "bundle", True), ("patient in [p00]", "elsewhere", True), ("patient in [p00]", "bundle", False)],
)
def test_a_spec_that_names_people_does_not_travel_in_the_bundle(forget, folder, stays, tmp_path):
    for name in ("bundle", "elsewhere"):
        (tmp_path / name).mkdir()
    path = tmp_path / folder / "spec.yaml"
    path.write_text(f"{HEAD}forget: {forget}\n", encoding="utf-8")
    index = make_index(tmp_path / "index", {"device": ["old", "new"]}, {"device": Kind.TEXT})
    cohort = CohortSpec.read(path).resolve(index)
    expected = nullcontext() if stays else pytest.raises(ConfigError, match="Move the spec and its lists out of the")
    with expected:
        check_spec_stays(tmp_path / "bundle", cohort)
