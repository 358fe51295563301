from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from monai_unlearn.engine.budget import MINIMUM, steps_within
from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import PSG, FineTune

DATA = SimpleNamespace(counts=lambda: {"remain": {"train": 3000}, "forget": {"train": 1000}})
BATCH = {"batch_size": 4, "remain_batch_size": 28}
PLAIN = SimpleNamespace(gradients_to_prepare=lambda **_: 0, gradients_a_step=lambda forget, remain: forget + remain)


def checkpoint(folder, record):
    (folder / "training.json").write_text(json.dumps(record), encoding="utf-8")
    return folder / "model.pt"


def test_the_share_is_of_retraining_on_the_remain_part(tmp_path):
    # 20 epochs on 4,000 images; retraining sees 3,000 of them 20 times: a tenth of 60,000 is 6,000.
    weights = checkpoint(tmp_path, {"gradient_evaluations": 80_000, "images": 4000})
    assert steps_within(0.1, checkpoint=weights, data=DATA, **BATCH, method=PLAIN) == 187


def test_the_preparation_counts_towards_the_share(tmp_path):
    weights = checkpoint(tmp_path, {"gradient_evaluations": 80_000, "images": 4000})
    data = SimpleNamespace(counts=lambda: {"remain": {"train": 3000}, "forget": {"train": 1000}})
    method = PSG(steps=2)
    # 1,000 images, and the first 64 of them once more, twice each: 2,128 gradients. As many labels, two predictions of
    # each of the 64, and one image for the network's width: 1,193 forward passes, and so 2,526 of 6,000.
    assert steps_within(0.1, checkpoint=weights, data=data, **BATCH, method=method) == 108
    few = PSG(steps=2, search_images=10)
    assert steps_within(0.1, checkpoint=weights, data=data, **BATCH, method=few) == 185
    # It takes 28 images a step, none of them to forget.
    tune = FineTune()
    assert steps_within(0.1, checkpoint=weights, data=data, **BATCH, method=tune) == 214


@pytest.mark.parametrize("record", [{}, {"gradient_evaluations": 100, "images": 4000}])
def test_a_small_share_gives_the_minimum(record, tmp_path):
    assert steps_within(0.1, checkpoint=checkpoint(tmp_path, record), data=DATA, **BATCH, method=PLAIN) == MINIMUM


def test_weights_without_a_record_give_the_minimum(tmp_path):
    assert steps_within(0.1, checkpoint=tmp_path / "model.pt", data=DATA, **BATCH, method=PLAIN) == MINIMUM


@pytest.mark.parametrize("share", [0, -0.1, 1.5])
def test_a_share_outside_its_range_is_refused(share, tmp_path):
    with pytest.raises(ConfigError, match="expected a share of retraining above 0 and at most 1"):
        steps_within(share, checkpoint=tmp_path / "model.pt", data=DATA, **BATCH, method=PLAIN)
