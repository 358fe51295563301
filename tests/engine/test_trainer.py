from __future__ import annotations

import itertools
from functools import partial

import pytest
import torch
from ignite.engine import Events
from tiny_trainer import Plain, tiny_trainer, weights_of
from torch import nn

from monai_unlearn.engine.trainer import PROGRESS
from monai_unlearn.errors import ConfigError, DataError, TrainingError
from monai_unlearn.methods import PSG


@pytest.mark.parametrize(("agrees", "asked", "amp"), [(True, None, True), (False, None, False), (True, False, False)])
def test_steps_use_bfloat16_where_the_method_found_it_safe(agrees, asked, amp):
    class Checked(Plain):
        agrees_in_bfloat16 = agrees

    engine = tiny_trainer(Checked(), amp=asked)
    dtypes = []
    engine.network.register_forward_hook(lambda *hooked: dtypes.append(hooked[-1].dtype))
    engine.run()
    assert set(dtypes) == {torch.bfloat16 if amp else torch.float32}


def test_gradients_are_clipped_to_the_largest_norm():
    free, held = tiny_trainer(), tiny_trainer(max_gradient_norm=1e-3)
    before = {name: value.clone() for name, value in held.network.state_dict().items()}
    for engine in (free, held):
        engine.run()
    moved = sum(float((value - before[name]).norm()) for name, value in held.network.state_dict().items())
    assert 0 < moved < 1e-3 * 0.1 * 6 * 2
    assert sum(float((value - before[name]).norm()) for name, value in free.network.state_dict().items()) > moved


PHASES = [
    {"name": "forget", "steps": 5, "learning_rate": 0.1},
    {"name": "repair", "steps": 4, "learning_rate": 0.2, "decay": "cosine"},
]


def rates(engine):
    """Note the learning rate of every step."""
    noted = []
    step = engine.optimizer.step
    engine.optimizer.step = lambda: (noted.append(engine.optimizer.param_groups[0]["lr"]), step())
    return noted


def test_phases_set_learning_rate_parts_and_length():
    engine = tiny_trainer(phases=PHASES)
    noted = rates(engine)
    engine.run()
    assert noted == pytest.approx([0.1] * 5 + [0.2, 0.2 * 0.853553, 0.1, 0.2 * 0.146447], rel=1e-5)
    both, remain = {"forget": 4, "remain": 8}, {"remain": 8}
    assert engine.method.given == [("forget", both)] * 5 + [("repair", remain)] * 4
    assert engine.state.images_seen == 5 * 12 + 4 * 8
    assert (engine.state.iteration, engine.total_steps, engine.phase) == (9, 9, "repair")


def test_without_phases_the_optimiser_keeps_its_rate():
    engine = tiny_trainer(steps=5)
    noted = rates(engine)
    engine.run()
    assert noted == [0.1] * 5
    assert (engine.state.iteration, engine.state.epoch) == (5, 2)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_forget_phase_that_ends_early_is_followed_by_the_repair(num_workers):
    engine = tiny_trainer(phases=PHASES, num_workers=num_workers)
    engine.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: engine.state.iteration == 2 and engine.end_phase("enough")
    )
    engine.run()
    # With workers, batches of forget images are loaded ahead by then; they must not reach the repair phase.
    both, remain = {"forget": 4, "remain": 8}, {"remain": 8}
    assert engine.method.given == [("forget", both)] * 2 + [("repair", remain)] * 4
    assert (engine.total_steps, engine.state.ended_by) == (6, None)
    assert engine.state.phase_ends == ({"step": 2, "by": "enough"},)


def test_without_a_repair_the_run_ends():
    engine = tiny_trainer()
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: engine.end_phase("enough"))
    engine.run()
    assert (engine.state.iteration, engine.state.ended_by) == (1, "enough")


def test_during_a_pause_forget_images_are_neither_used_nor_counted():
    engine = tiny_trainer(PSG(remain_weight=1.0), max_epochs=2)
    noted = []

    def pause(engine):
        noted.append((engine.method.phase, engine.state.images_seen))
        engine.pause((0, 1) if engine.state.iteration in (2, 3) else ())

    engine.add_event_handler(Events.ITERATION_COMPLETED, pause)
    engine.run()
    assert [phase for phase, _ in noted] == ["forget", "forget", "repair", "repair", "forget", "forget"]
    assert [after - before for (_, before), (_, after) in itertools.pairwise(noted)] == [12, 8, 8, 12, 12]


def test_the_state_dict_is_plain_and_carries_a_pause_to_another_process(tmp_path):
    first, second = tiny_trainer(), tiny_trainer()
    first.pause((1,))
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert (second.state.paused_classes, second.paused) == ((1,), False)
    assert set(PROGRESS) < set(first.state_dict())


def test_what_one_trainer_notes_does_not_reach_another():
    first, second = tiny_trainer(), tiny_trainer()
    first.state.notes = (*first.state.notes, "a note")
    assert second.state.notes == ()


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, partial(torch.optim.SGD, momentum=0.9), torch.optim.SGD])
def test_a_pause_clears_momentum_once(optimizer):
    engine = tiny_trainer()
    engine.optimizer = optimizer(engine.network.parameters(), lr=0.1)
    engine.run()
    engine.pause(())
    held = [state.get("exp_avg", state.get("momentum_buffer")) for state in engine.optimizer.state.values()]
    held = [momentum for momentum in held if momentum is not None]
    assert all(momentum.abs().sum() > 0 for momentum in held)
    engine.pause((0,))
    assert all(momentum.abs().sum() == 0 for momentum in held)
    for momentum in held:
        momentum.fill_(1.0)
    engine.pause((0,))
    assert all(momentum.min() == 1 for momentum in held)  # what remain images have added since is kept
    engine.pause(())
    assert all(momentum.min() == 1 for momentum in held)
    engine.pause((1,))
    assert all(momentum.abs().sum() == 0 for momentum in held)


class Labels(Plain):
    """Notes the labels of forget images in each step, and the phase."""

    def loss(self, batch):
        forget = batch["forget"]["label"].tolist() if "forget" in batch else []
        self.noted = [*getattr(self, "noted", []), (self.phase, sorted(set(forget)), len(forget))]
        return super().loss(batch)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_class_that_is_paused_leaves_the_batches_and_the_others_go_on(num_workers):
    engine = tiny_trainer(Labels(), classes=3, layer=None, steps=6, num_workers=num_workers)
    engine.network[2] = nn.Linear(4, 3)
    engine.optimizer = torch.optim.SGD(engine.network.parameters(), lr=0.1)
    left_out = {1: (1,), 2: (1, 7), 3: (0, 1, 2), 5: ()}

    def pause(engine):
        if engine.state.iteration in left_out:
            engine.pause(left_out[engine.state.iteration])

    engine.add_event_handler(Events.ITERATION_COMPLETED, pause)
    engine.run()
    expected = [("forget", 4), ("forget", 4), ("forget", 4), ("repair", 0), ("repair", 0), ("forget", 4)]
    assert [(phase, count) for phase, _, count in engine.method.noted] == expected
    assert [labels for _, labels, _ in engine.method.noted[1:5]] == [[0, 2], [0, 2], [], []]


def test_a_paused_class_stays_out_after_a_resumption():
    whole, first, second = (tiny_trainer(steps=6) for _ in range(3))
    for engine in (whole, first):
        engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda engine: engine.pause((1,)))
    whole.run()
    first.add_event_handler(Events.ITERATION_COMPLETED(once=4), lambda engine: engine.terminate())
    first.run()
    second.network.load_state_dict(first.network.state_dict())
    second.load_state_dict(first.state_dict())
    second.run()
    assert torch.equal(weights_of(second), weights_of(whole))


@pytest.mark.parametrize("at", range(1, 7))
def test_resumes_from_any_step(at):
    whole = tiny_trainer(phases=PHASES)

    def end(engine):
        if engine.state.iteration == 3:
            engine.end_phase("enough")

    whole.add_event_handler(Events.ITERATION_COMPLETED, end)
    whole.run()
    first, second = tiny_trainer(phases=PHASES), tiny_trainer(phases=PHASES)
    first.add_event_handler(Events.ITERATION_COMPLETED, end)
    first.add_event_handler(Events.ITERATION_COMPLETED, lambda: first.state.iteration == at and first.terminate())
    first.run()
    second.network.load_state_dict(first.network.state_dict())
    second.load_state_dict(first.state_dict())
    second.add_event_handler(Events.ITERATION_COMPLETED, end)
    second.run()
    assert torch.equal(weights_of(second), weights_of(whole))
    assert second.state_dict() == whole.state_dict()
    second.run()
    assert second.state.iteration == whole.state.iteration == 7


def out_of_memory(kind):
    if kind == "cuda":
        return torch.OutOfMemoryError("CUDA out of memory.")
    return RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")


class Hungry(Plain):
    """Runs out of memory on more images than fit."""

    def __init__(self, fits, kind="cpu"):
        super().__init__()
        self.fits = fits
        self.kind = kind

    def loss(self, batch):
        if sum(len(items["image"]) for items in batch.values()) > self.fits:
            raise out_of_memory(self.kind)
        return super().loss(batch)


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_out_of_memory_batches_are_split_into_micro_batches(capsys, kind):
    whole, short = tiny_trainer(steps=4), tiny_trainer(Hungry(4, kind), steps=4)
    whole.run()
    short.run()
    assert short.state.micro_batches == 4
    assert torch.allclose(weights_of(short), weights_of(whole), atol=1e-6)
    assert short.state.images_seen == whole.state.images_seen
    note = "Memory ran out at step 1: batches are split into micro-batches from there on."
    assert (short.state.notes, capsys.readouterr().err.count("Memory ran out")) == ((note,), 1)


def test_a_batch_that_cannot_be_split_further_ends_the_run():
    message = "Out of memory even with 4 micro-batches; the batch cannot be split further. Use smaller images"
    with pytest.raises(TrainingError, match=message):
        tiny_trainer(Hungry(1)).run()


def test_errors_other_than_lack_of_memory_are_raised():
    engine = tiny_trainer()
    engine.method.network = nn.Linear(9, 2)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        engine.run()


def test_a_label_that_is_not_a_class_ends_the_run():
    engine = tiny_trainer(classes=3)
    engine.classes = 2
    with pytest.raises(DataError, match="a forget image of step 1 has class number 2; the network has classes 0 to 1"):
        engine.run()


def test_the_length_of_the_run_is_required():
    with pytest.raises(ConfigError, match="length of the run: expected phases, steps or max_epochs of at least 1"):
        tiny_trainer(max_epochs=None)


def test_running_accuracy_costs_no_forward_pass():
    engine = tiny_trainer(n=40, steps=30)
    passes = []
    engine.network.register_forward_hook(lambda *_: passes.append(1))
    engine.run()
    assert set(engine.running_accuracy.accuracy) == {"forget", "remain"}
    assert all(0 <= value <= 1 for value in engine.running_accuracy.accuracy.values())
    assert len(passes) == 60
