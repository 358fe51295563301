from __future__ import annotations

import pytest
import torch
from method_bench import small_network
from torch import nn

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods.logit_ensemble import LogitEnsemble, networks_in

IMAGES = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_logits_are_the_weighted_mean():
    a, b = (small_network(seed).eval() for seed in (1, 2))
    found = LogitEnsemble([a, b], weight=0.25).eval()(IMAGES)
    torch.testing.assert_close(found, torch.stack([a(IMAGES)] * 3 + [b(IMAGES)]).mean(0))


def test_one_state_dict_of_tensors_holds_all_of_it(tmp_path):
    ensemble = LogitEnsemble([small_network(1), small_network(2)], weight=0.7).eval()
    torch.save(ensemble.state_dict(), tmp_path / "model.pt")
    other = LogitEnsemble([small_network(3), small_network(4)]).eval()
    other.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    assert torch.equal(other(IMAGES), ensemble(IMAGES))
    assert float(other.weight) == pytest.approx(0.7)


def test_torchscript_computes_the_same():
    ensemble = LogitEnsemble([small_network(1), small_network(2)]).eval()
    torch.testing.assert_close(torch.jit.script(ensemble)(IMAGES), ensemble(IMAGES))


def test_its_networks_are_told_from_a_network():
    a, b = small_network(1), small_network(2)
    assert networks_in(LogitEnsemble([a, b])) == (a, b)
    assert networks_in(a) == (a,)


@pytest.mark.parametrize(
    ("count", "weight", "why"), [(1, 0.5, "expected two networks, got 1"), (2, 1.5, r"expected a weight in \[0, 1\]")]
)
def test_what_is_no_ensemble_of_two_is_refused(count, weight, why):
    with pytest.raises(ConfigError, match=why):
        LogitEnsemble([nn.Identity() for _ in range(count)], weight=weight)
