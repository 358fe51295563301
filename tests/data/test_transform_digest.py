from __future__ import annotations

import copy
import functools
import re

import numpy as np
import pytest
import torch
from bundle_run import ROOT
from monai.bundle import ConfigParser
from monai.transforms import Compose, Lambdad, NormalizeIntensityd, Resized
from torch import nn

from monai_unlearn.data import LoadImage2Dd
from monai_unlearn.data.transform_digest import transform_digest
from monai_unlearn.engine.head import as_classifier
from monai_unlearn.vocabulary.fields import Kind

BUNDLES = sorted(path.name for path in (ROOT / "bundles").iterdir() if path.is_dir())


def scaled(*, mean=0.5, size=(8, 8), **options):
    return Compose(
        [
            LoadImage2Dd(keys="image", **options),
            Resized(keys="image", spatial_size=size, mode="area"),
            NormalizeIntensityd(keys="image", subtrahend=[mean], divisor=[0.25], channel_wise=True),
        ]
    )


class Holder:
    def __init__(self, value):
        self.value = value


def test_the_same_settings_have_the_same_digest():
    assert transform_digest(scaled()) == transform_digest(scaled()) is not None


@pytest.mark.parametrize(
    "other", [{"mean": 0.4}, {"size": (8, 9)}, {"channels": 1}, {"frame": 2}, {"background": [0.0, 0.0, 0.1]}]
)
def test_another_setting_at_any_depth_changes_it(other):
    assert transform_digest(scaled(**other)) != transform_digest(scaled())


def test_use_does_not_change_it():
    transform = Compose([Resized(keys="image", spatial_size=(2, 2), mode="area")])
    before = transform_digest(transform)
    transform({"image": torch.ones(1, 4, 4)})
    assert transform_digest(transform) == before


@pytest.mark.parametrize("bundle", BUNDLES)
def test_preprocessing_of_each_bundle_has_one(bundle):
    def read():
        parser = ConfigParser()
        parser.read_config(str(ROOT / "bundles" / bundle / "configs" / "train.yaml"))
        return transform_digest(parser.get_parsed_content("preprocessing"))

    assert read() == read() is not None


VALUES = [
    *(
        1,
        1.0,
        True,
        "1",
        b"1",
        None,
        (1,),
        [1],
        {1},
        frozenset({1}),
        {"a": 1},
        {"b": 1},
        {"a": 2},
        Kind.TEXT,
        Kind.DATE,
    ),
    *(torch.float32, torch.ones(2), torch.zeros(2), torch.ones(2, dtype=torch.bfloat16), torch.ones(1, 2)),
    *(np.ones(2), np.ones(2, np.float32), np.float32(1), transform_digest, re.sub, Holder, Holder(1)),
]


def test_different_values_have_different_digests():
    found = [transform_digest(Holder(value)) for value in VALUES]
    assert None not in found
    assert len(set(found)) == len(VALUES)


def test_generators_have_no_part_in_it():
    for kind in (np.random.RandomState, np.random.default_rng, lambda seed: torch.Generator().manual_seed(seed)):
        assert transform_digest(Holder(kind(0))) == transform_digest(Holder(kind(1)))


def deep(levels):
    return Holder(None if levels == 0 else deep(levels - 1))


@pytest.mark.parametrize(
    "unknown",
    [
        Lambdad(keys="image", func=lambda image: image),
        functools.partial(int, base=2),
        Holder(deep(40)),
        Holder(re.compile("a")),
        Holder(Holder(Holder(iter([1])))),
    ],
    ids=["lambda", "partial", "deep", "compiled", "iterator"],
)
def test_what_does_not_tell_what_it_does_has_none(unknown):
    assert transform_digest(unknown) is None


def test_a_value_within_itself_has_none():
    holder = Holder(None)
    holder.value = holder
    assert transform_digest(holder) is None


def network(*, width=3, slope=0.1):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, width, 1), nn.BatchNorm2d(width), nn.LeakyReLU(slope), nn.Flatten())


def test_a_network_is_told_by_its_weights_statistics_settings_and_mode():
    found = [transform_digest(one) for one in (network(), network(width=4), network(slope=0.2), network().eval())]
    for change in (lambda one: one[0].bias[0].add_(1), lambda one: one[1].running_mean.add_(1)):
        changed = network()
        with torch.no_grad():
            change(changed)
        found.append(transform_digest(changed))
    assert None not in found
    assert len(set(found)) == len(found)
    assert transform_digest(copy.deepcopy(network())) == found[0]


def test_of_hooks_those_that_a_forward_pass_calls_are_part_of_a_network():
    plain, other = network(), network()
    other.register_full_backward_hook(print)
    other.register_state_dict_post_hook(lambda *_: None)
    assert transform_digest(other) == transform_digest(plain)
    as_classifier(other, head="sigmoid")
    found = transform_digest(other)
    assert found not in {None, transform_digest(plain)}
    network().register_forward_hook(print)  # takes a number
    again = as_classifier(network(), head="sigmoid")
    assert transform_digest(again) == found
    again.register_forward_hook(lambda *_: None)
    assert transform_digest(again) is None


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:DeprecationWarning")
def test_what_was_compiled_or_traced_has_none():
    traced = torch.jit.trace(network().eval(), torch.zeros(1, 2, 4, 4))
    assert transform_digest(traced) is None
    assert transform_digest(nn.Sequential(traced)) is None


@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_network_of_each_bundle_has_one_that_use_does_not_change(bundle):
    parser = ConfigParser()
    configs = ROOT / "bundles" / bundle / "configs"
    parser.read_config(str(configs / "train.yaml"))
    parser.read_meta(str(configs / "metadata.json"))
    made = parser.get_parsed_content("network_def").eval()
    before = transform_digest(made)
    with torch.no_grad():
        made(torch.zeros(1, parser.get_parsed_content("network_def::n_input_channels", default=3), 64, 64))
    assert transform_digest(made) == before is not None
