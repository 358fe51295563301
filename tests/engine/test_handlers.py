from __future__ import annotations

from types import SimpleNamespace

import pytest
from ignite.engine import Engine
from rich.console import Console

from monai_unlearn.engine import ProgressBar, distributed


def engine(losses: list[float]) -> Engine:
    stream = iter(losses)
    return Engine(lambda _engine, _batch: {"loss": next(stream)})


def test_without_a_terminal_a_tenth_is_a_line(capsys):
    trainer = engine([1.0] * 19 + [0.25])
    ProgressBar(description="Training").attach(trainer)
    trainer.run([0] * 20, max_epochs=1)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0] == "Training: step 2/20, loss 1.000, 0:00:00 left"
    assert lines[-1] == "Training: step 20/20, loss 0.250, 0:00:00 left"


def test_phase_and_running_accuracy_are_shown(capsys):
    trainer = engine([0.5, 0.5])
    running = SimpleNamespace(accuracy={"remain": 0.956, "forget": 0.1})
    trainer.phase, trainer.running_accuracy, trainer.total_steps = "repair", running, 2
    ProgressBar(description="Unlearning").attach(trainer)
    trainer.run([0] * 2, max_epochs=1)
    expected = "Unlearning: step 2/2, repair, loss 0.500, forget accuracy 0.10, remain accuracy 0.96, 0:00:00 left"
    assert capsys.readouterr().err.splitlines()[-1] == expected


def test_a_pause_is_shown(capsys):
    trainer = engine([0.5])
    trainer.phase, trainer.paused, trainer.total_steps = "forget", True, 1
    ProgressBar(description="Unlearning").attach(trainer)
    trainer.run([0], max_epochs=1)
    assert "step 1/1, forget paused, loss 0.500" in capsys.readouterr().err


def test_on_a_terminal_it_is_a_live_line(monkeypatch, capsys):
    monkeypatch.setattr(
        "monai_unlearn.engine.handlers.escaping_console",
        lambda **kwargs: Console(force_terminal=True, width=100, **kwargs),
    )
    trainer = engine([1.0, 0.5])
    ProgressBar(description="Unlearning").attach(trainer)
    trainer.run([0, 1], max_epochs=1)
    text = capsys.readouterr().err
    assert "2/2" in text
    assert "loss 0.500" in text
    assert "step 2/2" not in text


def test_only_the_main_process_shows_it(monkeypatch, capsys):
    monkeypatch.setattr(distributed, "rank", lambda: 1)
    trainer = engine([1.0])
    ProgressBar(description="Training").attach(trainer)
    trainer.run([0], max_epochs=1)
    assert capsys.readouterr().err == ""


def test_errors_are_not_swallowed():
    trainer = Engine(lambda _engine, _batch: 1 / 0)
    ProgressBar(description="Unlearning").attach(trainer)
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        trainer.run([0], max_epochs=1)
