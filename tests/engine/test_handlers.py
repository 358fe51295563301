from __future__ import annotations

import pytest
import torch
from ignite.engine import Engine
from rich.console import Console
from torch import nn

from monai_unlearn.engine import ProgressBar, StopWhenForgotten
from monai_unlearn.errors import ConfigError


def engine(losses: list[float]) -> Engine:
    stream = iter(losses)
    return Engine(lambda _engine, _batch: {"loss": next(stream)})


def test_without_a_terminal_an_epoch_is_a_line(capsys):
    trainer = engine([1.0, 0.5, 0.25, 0.125])
    ProgressBar(description="Unlearning").attach(trainer)
    trainer.run([0, 1], max_epochs=2)
    assert capsys.readouterr().err.splitlines() == [
        "Unlearning: epoch 1/2, loss 0.500",
        "Unlearning: epoch 2/2, loss 0.125",
    ]


def test_on_a_terminal_it_is_a_live_line(monkeypatch, capsys):
    monkeypatch.setattr(
        "monai_unlearn.engine.handlers.Console", lambda **kwargs: Console(force_terminal=True, width=100, **kwargs)
    )
    trainer = engine([1.0, 0.5])
    ProgressBar(description="Unlearning").attach(trainer)
    trainer.run([0, 1], max_epochs=1)
    text = capsys.readouterr().err
    assert "2/2" in text
    assert "epoch 1/1" not in text


def test_errors_are_not_swallowed():
    trainer = Engine(lambda _engine, _batch: 1 / 0)
    ProgressBar(description="Unlearning").attach(trainer)
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        trainer.run([0], max_epochs=1)


@pytest.mark.parametrize(("at_most", "epochs"), [(0.0, 3), (0.5, 2), (1.0, 1)])
def test_stops_after_the_step_that_reaches_the_accuracy(at_most, epochs):
    network = nn.Linear(1, 2)
    forget = [{"image": torch.tensor([1.0]), "label": 0}, {"image": torch.tensor([-1.0]), "label": 0}]

    def step(trainer, _batch):
        # Right on both images in the first epoch, on one in the second, on none in the third.
        weights = {1: [1.0, 0.0], 2: [1.0, 0.0], 3: [0.0, 0.0]}[trainer.state.epoch]
        network.weight.data = torch.tensor(weights).view(2, 1)
        network.bias.data = torch.tensor([2.0 if trainer.state.epoch == 1 else -0.5 * (trainer.state.epoch == 3), 0.0])
        return {"loss": 0.0}

    trainer = Engine(step)
    stop = StopWhenForgotten(network=network, forget=forget, at_most=at_most, every=1)
    stop.attach(trainer)
    trainer.run([0], max_epochs=3)
    assert trainer.state.epoch == epochs
    assert stop.seen == [1.0, 0.5, 0.0][:epochs]


@pytest.mark.parametrize("wrong", [{"at_most": 1.5}, {"at_most": 0.5, "every": 0}])
def test_refuses_settings_out_of_range(wrong):
    with pytest.raises(ConfigError, match=r"expected a forget accuracy in \[0, 1\] and at least 1 step"):
        StopWhenForgotten(network=nn.Identity(), forget=[], **wrong)
