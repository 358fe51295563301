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


def test_each_method_is_registered_under_its_own_name():
    wanted = {"psg": PSG, "psg_published": PublishedPSG, "boundary_shrink": BoundaryShrink, "finetune": FineTune}
    found = {name: kind for name, (_, kind) in registered().items()}
    assert wanted.items() <= found.items()
    assert found["reset"] is Reset
    assert info_of(PSG()).paper.endswith("arXiv 2505.21872")


def test_a_record_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        info_of(PSG()).name = "other"


def test_a_record_and_its_class_agree_on_whether_steps_use_forget_images():
    for name, (info, kind) in registered().items():
        assert not kind.needs_forget or "forget" in info.needs, name


def test_a_record_names_what_it_may_name():
    with pytest.raises(ValueError, match="x: expected needs among forget, remain, .* got images"):
        MethodInfo(name="x", paper="", equations="", needs=("images",), suits=(), batch_norm="", cost="")


def test_registering_a_duplicate_name_raises():
    info = registered()["psg"][0]
    with pytest.raises(ValueError, match="'psg' is already registered"):
        register(info)(FineTune)


def test_an_unregistered_method_is_named_by_its_class():
    class Mine(Method):
        def loss(self, batch):
            return batch

    assert info_of(Mine()) == MethodInfo(
        name="Mine",
        paper="not stated",
        equations="not stated",
        needs=("forget", "remain"),
        suits=(),
        batch_norm="not stated",
        cost="not stated",
    )
