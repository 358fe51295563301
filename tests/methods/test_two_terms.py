from __future__ import annotations

import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import TwoTerms


class Squares(TwoTerms):
    """F is the mean square of the logits."""

    def forget_term(self, logits, forget):
        assert len(logits) == len(forget["row"])
        return logits.square().mean()


def prepared(method, **settings):
    method.prepare(context_of(small_network(), small_items(), **settings))
    method.set_mode()
    return method


BATCH = batch_of(small_items(), [0, 1], [4, 5, 6])


def test_the_loss_is_the_forget_term_plus_the_weighted_loss_of_training():
    method = prepared(Squares(remain_weight=3.0, batch_norm="frozen"), training_loss=torch.nn.MultiMarginLoss())
    forgotten, kept = (method.network(BATCH[part]["image"]) for part in ("forget", "remain"))
    expected = forgotten.square().mean() + 3 * torch.nn.MultiMarginLoss()(kept, BATCH["remain"]["label"])
    torch.testing.assert_close(method.loss(BATCH), expected)
    assert method.parts == ("forget", "remain")


def test_a_weight_of_0_leaves_the_remain_images_out():
    method = prepared(Squares(remain_weight=0.0))
    assert method.parts == ("forget",)
    torch.testing.assert_close(
        method.loss({"forget": BATCH["forget"]}), method.network(BATCH["forget"]["image"]).square().mean()
    )


def test_the_repair_phase_is_the_remain_term_alone_whatever_its_weight():
    method = prepared(Squares(remain_weight=0.0, batch_norm="frozen"))
    method.phase = "repair"
    logits = method.network(BATCH["remain"]["image"])
    expected = torch.nn.functional.cross_entropy(logits, BATCH["remain"]["label"])
    torch.testing.assert_close(method.loss({"remain": BATCH["remain"]}), expected)
    assert method.parts == ("remain",)


def test_running_statistics_follow_the_remain_images():
    method = prepared(Squares())
    before, entering = method.network[1].running_mean.clone(), method.network[0](BATCH["remain"]["image"])
    method.loss(BATCH)
    torch.testing.assert_close(method.network[1].running_mean, 0.9 * before + 0.1 * entering.mean((0, 2, 3)))


@pytest.mark.parametrize("weight", [-1.0, float("inf"), float("nan")])
def test_a_weight_out_of_range_is_refused(weight):
    with pytest.raises(ConfigError, match="Squares: expected a finite remain_weight >= 0, got"):
        Squares(remain_weight=weight)
