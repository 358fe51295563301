from __future__ import annotations

import dataclasses

import pytest

from monai_unlearn.methods import (
    PSG,
    BoundaryShrink,
    FineTune,
    Method,
    MethodInfo,
    PublishedPSG,
    Reset,
    info_of,
    register,
    registered,
)


def test_the_registered_methods():
    assert {name: kind for name, (_, kind) in registered().items()} == {
        "psg": PSG,
        "psg_published": PublishedPSG,
        "boundary_shrink": BoundaryShrink,
        "finetune": FineTune,
        "reset": Reset,
    }
    assert info_of(PSG()).paper.endswith("arXiv 2505.21872")


def test_a_record_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        info_of(PSG()).name = "other"


def test_only_the_comparison_loops_can_do_without_remain_images():
    without = {name for name, (info, _) in registered().items() if not info.needs_remain}
    assert without == {"psg_published", "boundary_shrink"}


def test_what_learns_on_remain_alone_needs_no_forget_image():
    assert {name for name, (_, kind) in registered().items() if not kind.needs_forget} == {"finetune", "reset"}


def test_registering_a_duplicate_name_raises():
    info = registered()["psg"][0]
    with pytest.raises(ValueError, match="'psg' is already registered"):
        register(info)(FineTune)


def test_an_unregistered_method_is_named_by_its_class():
    class Mine(Method):
        def loss(self, batch):
            return batch

    assert info_of(Mine()) == MethodInfo(
        name="Mine", paper="not stated", equations="not stated", needs_remain=True, cost="not stated"
    )
