from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from method_bench import batch_of, context_of, small_items, small_network
from method_steps import (
    FORGET,
    ITEMS,
    REMAIN,
    Run,
    assert_resumes_and_repeats,
    assert_two_processes_share_a_step,
    batch_at,
    in_two_processes,
)
from scipy.special import rel_entr, softmax

from monai_unlearn.errors import ConfigError
from monai_unlearn.methods import SCRUB

HELD = small_items(60)[20:]


def moved(method):
    """Return the method with a network that has left the original."""
    method.prepare(context_of(small_network(), ITEMS))
    method.set_mode()
    with torch.no_grad():
        method.network[5].weight.add_(0.3 * torch.randn(3, 4, generator=torch.Generator().manual_seed(0)))
    return method


def divergence_by_hand(method, images, temperature):
    teacher, student = (
        softmax(network(images).detach().double().numpy() / temperature, axis=1)
        for network in (small_network().eval(), method.network)
    )
    return temperature**2 * rel_entr(teacher, student).sum(1).mean()


def test_a_max_step_ascends_on_the_divergence_of_forget_images():
    method = moved(SCRUB(temperature=3.0))
    method._steps = 1
    batch = {"forget": batch_at(0)["forget"]}
    expected = -divergence_by_hand(method, batch["forget"]["image"], 3.0)
    np.testing.assert_allclose(method.loss(batch).item(), expected, rtol=1e-4)
    assert expected < -0.001
    assert (method.parts, method.taught) == (("forget",), ("forget",))


def test_a_min_step_descends_on_divergence_and_training_s_loss_of_remain_images():
    method = moved(SCRUB(temperature=3.0, label_weight=0.7, distillation_weight=2.0, batch_norm="frozen"))
    batch = {"remain": batch_at(0)["remain"]}
    logits = method.network(batch["remain"]["image"]).detach().double().numpy()
    entropy = -np.log(softmax(logits, axis=1)[range(REMAIN), batch["remain"]["label"]]).mean()
    expected = 2.0 * divergence_by_hand(method, batch["remain"]["image"], 3.0) + 0.7 * entropy
    np.testing.assert_allclose(method.loss(batch).item(), expected, rtol=1e-4)
    assert (method.parts, method.taught) == (("remain",), ("remain",))
    method.distillation_weight = 0.0
    np.testing.assert_allclose(method.loss(batch).item(), 0.7 * entropy, rtol=1e-4)
    assert method.taught == ()


def test_max_and_min_steps_take_turns_in_the_first_share_of_the_steps():
    run = Run(SCRUB(forget_share=0.5), total=12).prepare()
    parts = [run.take(step, step + 1).method.parts for step in range(12)]
    assert parts == [("remain",), ("forget",)] * 3 + [("remain",)] * 6
    cost = sum((FORGET if part == ("forget",) else REMAIN) * 4 / 3 for part in parts)
    assert run.method.gradients_a_step(forget=FORGET, remain=REMAIN) == pytest.approx(cost / 12)


def test_the_repair_phase_holds_min_steps_alone():
    method = moved(SCRUB())
    method._steps, method.phase = 1, "repair"
    method.loss({"remain": batch_at(0)["remain"]})
    assert method.parts == ("remain",)


def test_it_repeats_resumes_and_runs_in_two_processes():
    assert_resumes_and_repeats(SCRUB)
    assert_resumes_and_repeats(lambda: SCRUB(rewind=True), validation={"forget": HELD})
    for step in (0, 1):
        assert_two_processes_share_a_step(lambda: SCRUB(batch_norm="frozen"), step=step)


def outcomes(weights, items):
    network = small_network()
    network.load_state_dict(weights)
    batch = batch_of(items, range(len(items)), [0])["forget"]
    return batch["label"].numpy(), network.eval()(batch["image"]).argmax(1).numpy() != batch["label"].numpy()


def test_rewinding_takes_the_weights_whose_forget_error_is_nearest_to_that_of_held_images(caplog):
    held = [item for item in HELD if item["label"] != 2 or item["row"] % 2]  # other class frequencies
    run = Run(SCRUB(rewind=True, forget_share=1.0), {"validation": {"forget": held}}, total=40).prepare()
    after = []
    for step in range(40):
        run.take(step, step + 1)
        if step in {4, 8, 12, 16, 20, 24, 28, 32, 36, 39}:
            after.append(run.weights())
    classes, wrong = outcomes(after[-1], held)
    forgotten = [item["label"] for item in ITEMS]
    wanted = np.mean([wrong[classes == label].mean() for label in forgotten])
    errors = [outcomes(weights, ITEMS)[1].mean() for weights in after]
    assert len(set(errors)) > 1
    distances = [abs(error - wanted) for error in errors]
    best = max(number for number in range(10) if distances[number] == min(distances))
    with caplog.at_level(logging.INFO, "monai_unlearn"):
        run.method.finish()
    assert all(torch.equal(value, after[best][name]) for name, value in run.weights().items())
    assert f"rewound to the weights after {best + 1} of 10 tenths of the steps" in caplog.text
    assert run.method.forward_passes == 10 * 20 + len(held)
    assert run.method.gradients_to_prepare(forget=20, remain=9) == pytest.approx(200 / 3)


def test_without_rewind_the_end_changes_nothing_and_nothing_is_kept():
    run = Run(SCRUB()).prepare().take(0, 12)
    before = run.weights()
    run.method.finish()
    assert all(torch.equal(value, before[name]) for name, value in run.weights().items())
    assert run.method.state_dict() == {"steps": 12, "kept": []}
    assert run.method.gradients_to_prepare(forget=20, remain=9) == run.method.forward_passes == 0


def test_two_processes_rewind_to_the_same_weights():
    def rewound(rank, all_reduce_sum):
        method, network = SCRUB(rewind=True), networks[rank]
        validation = {"forget": HELD}
        method.prepare(
            context_of(network, ITEMS, rank=rank, world_size=2, all_reduce_sum=all_reduce_sum, validation=validation)
        )
        for number in range(3):
            with torch.no_grad():
                network[5].weight.add_(0.5 * draws[number])
            method.done = (number + 1) / 10
            method.after_step()
        method.finish()
        return network.state_dict()

    draws = torch.randn(3, 3, 4, generator=torch.Generator().manual_seed(5))
    networks = [small_network(), small_network()]
    first, second = in_two_processes(rewound)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_without_a_class_in_common_the_final_weights_stay(caplog):
    held = [{**item, "label": 2} for item in HELD]
    forget = [item for item in ITEMS if item["label"] != 2]
    method, network = SCRUB(rewind=True), small_network()
    method.prepare(context_of(network, forget, validation={"forget": held}))
    method.done = 0.5
    method.after_step()
    with torch.no_grad():
        network[5].weight.add_(1.0)
    before = network[5].weight.clone()
    method.finish()
    assert "no validation image is of a class of the forget images" in caplog.text
    assert torch.equal(network[5].weight, before)


def test_refuses_what_it_cannot_use():
    with pytest.raises(ConfigError, match="scrub: rewind needs validation images of the forget part, got none"):
        SCRUB(rewind=True).prepare(context_of(small_network(), ITEMS))
    with pytest.raises(ConfigError, match="holds logits, but scrub keeps kept and steps. Delete the checkpoint"):
        SCRUB().load_state_dict({"logits": 1})


@pytest.mark.parametrize(
    "wrong",
    [{"forget_share": 2.0}, {"temperature": 0.0}, {"label_weight": -1.0}, {"distillation_weight": float("inf")}],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=r"scrub: expected forget_share in \[0, 1\], temperature above 0"):
        SCRUB(**wrong)
