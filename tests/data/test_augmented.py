from __future__ import annotations

import monai.data
import pytest
import torch
import yaml
from bundle_walk import BUNDLES
from monai.bundle import ConfigParser
from monai.data import MetaTensor, get_track_meta
from monai.transforms import Compose, RandFlipd
from torch.utils.data import Subset

from monai_unlearn.data import AugmentedDataset


def augmentation(bundle):
    config = yaml.safe_load((bundle / "configs" / "train.yaml").read_text(encoding="utf-8"))
    return ConfigParser(config["train"]["preprocessing"]).get_parsed_content()


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_images_are_those_of_monai_bit_for_bit(bundle):
    generator = torch.Generator().manual_seed(0)
    items = [{"image": torch.randn(3, 32, 48, generator=generator), "label": row} for row in range(40)]
    found = {}
    for kind in (monai.data.Dataset, AugmentedDataset):
        transform = augmentation(bundle).set_random_state(seed=7)
        data = kind(items, transform)
        found[kind] = torch.stack([torch.as_tensor(data[row]["image"]) for row in range(len(data))])
    assert torch.equal(found[monai.data.Dataset], found[AugmentedDataset])
    assert not torch.equal(found[AugmentedDataset], torch.stack([item["image"] for item in items]))


def seen(data):
    """What the transform of a data set is given, and whether metadata are tracked meanwhile."""
    calls = []
    made = AugmentedDataset(data, lambda item: calls.append(get_track_meta()) or item)
    assert made[0] is data[0]
    return calls


def test_metadata_are_tracked_where_there_are_some_and_not_elsewhere():
    assert seen([{"image": torch.zeros(1, 2, 2)}]) == [False]
    assert seen([{"image": MetaTensor(torch.zeros(1, 2, 2))}]) == [True]
    assert get_track_meta()


def test_an_error_leaves_the_setting_as_it_was():
    data = AugmentedDataset([{"image": "no tensor"}], Compose([RandFlipd(keys="image", prob=1.0)]))
    with pytest.raises(RuntimeError):
        data[0]
    assert get_track_meta()


def test_without_a_transform_or_with_a_slice_it_is_as_monais():
    items = [{"image": torch.zeros(1)}] * 3
    assert AugmentedDataset(items, None)[1] is items[1]
    assert isinstance(AugmentedDataset(items, None)[0:2], Subset)
