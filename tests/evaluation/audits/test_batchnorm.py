from __future__ import annotations

import itertools

import numpy as np
import pytest
from audit_example import audited, frame, network, retrained
from audit_networks import PlayedNetworks

from monai_unlearn.evaluation.audits.batchnorm import MOST_IMAGES, cost, measure

ROWS = frame({"forget_train": 30, "forget_test": 20, "remain_train": 10, "remain_test": 25})
KNOWS = network(ROWS, seed=1, strength=4.0)
FORGOT = network(ROWS, seed=1, strength={"forget_train": -4.0, "forget_test": -4.0, "remain_test": 4.0})


def found(recalibrated, *, as_trained=FORGOT, revised=FORGOT, noise=0.0, **settings):
    """The finding where recalibration gives these logits, moved by the seed by noise over the number of images."""

    def recalibrate(rows, images, seed):
        return recalibrated[rows] * (1 + noise * 256 / images * (1 if seed % 2 else -1))

    logits = {"original": KNOWS, "revised": revised, **retrained(ROWS, 2)}
    if as_trained is not None:
        logits["revised_as_trained"] = as_trained
    networks = PlayedNetworks(recalibrate=recalibrate)
    subject = audited(ROWS, logits, networks=networks, **settings)
    finding = measure(subject)
    return finding, {(row.measure, row.subset): row for row in finding.rows}, subject


def test_forgetting_in_the_statistics_comes_back_and_is_an_artefact():
    finding, rows, subject = found(KNOWS, revised=KNOWS + 0.01 * np.eye(2)[0])
    assert finding.facts["artefact_as_trained"] is True
    assert finding.facts["delivered"] == "recalibrated"
    trained = rows["probability_as_trained", "forget_train"]
    own = subject.table.probabilities("revised_as_trained")[np.arange(len(ROWS)), subject.labels]
    assert trained.revised.value == pytest.approx(own[subject.places == "forget_train"].mean())
    assert trained.revised.value < 0.2
    assert rows["probability_recalibrated", "forget_train"].revised.value > 0.8
    assert trained.headline


def test_forgetting_in_the_weights_stays():
    finding, rows, _ = found(FORGOT)
    assert finding.facts["artefact_as_trained"] is False
    assert rows["probability_recalibrated", "forget_test"].revised.value < 0.2


def test_where_nothing_was_recalibrated_the_delivered_network_is_the_one_as_trained():
    finding, _, _ = found(KNOWS, as_trained=None)
    assert finding.facts["delivered"] == "as trained"
    assert finding.facts["artefact_as_trained"] is True


def test_the_number_of_images_is_the_first_at_which_the_seed_moves_nothing():
    finding, _, subject = found(FORGOT, noise=0.0)
    assert (finding.facts["images"], finding.facts["seed_moves"], finding.facts["is_enough"]) == (256, 0.0, True)
    finding, _, subject = found(FORGOT * 0.2, noise=0.3)
    assert finding.facts["images"] > 256
    assert finding.facts["seed_moves"] <= 0.005
    tried = [images for images, _ in subject.networks.asked]
    assert tried == [n for n in (256 * 2**k for k in range(7)) if n <= finding.facts["images"] for _ in range(2)]
    assert len({seed for _, seed in subject.networks.asked}) == 2


def test_a_seed_that_always_moves_something_is_reported():
    finding, _, _ = found(FORGOT * 0.2, noise=1e4)
    assert finding.facts["images"] == MOST_IMAGES
    assert finding.facts["is_enough"] is False
    left = itertools.chain([1.0], itertools.repeat(0.0))
    finding, _, _ = found(FORGOT * 0.2, noise=1e4, seconds_left=lambda: next(left))
    assert finding.facts["images"] == 512


def test_without_batch_norm_it_is_not_measurable():
    logits = {"original": KNOWS, "revised": FORGOT}
    subject = audited(ROWS, logits, networks=PlayedNetworks())
    assert measure(subject).why == "The network keeps no BatchNorm statistics."
    assert cost(subject).passes == 0
    assert cost(found(FORGOT)[2]).passes == 2 * (256 + 150) + 2 * (512 + 150)
