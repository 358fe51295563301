from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from bundle_run import JUDGED, WIDE, WIDE_MATCH
from run_files import revised_digest
from torch import nn

from monai_unlearn.engine import distributed, revision_updates
from monai_unlearn.engine.remain_sample import REMAIN_TRAIN
from monai_unlearn.engine.revision_updates import _judge, _validation, proxies_of
from monai_unlearn.errors import TrainingError
from monai_unlearn.evaluation.objective import ERASURE_FORMULA, FORMULA


def test_the_same_seed_gives_the_same_weights(tiny, tmp_path):
    digests = []
    for number, seed in enumerate((0, 0, 1)):
        tiny.unlearn(tmp_path / str(number), seed=seed)
        digests.append(revised_digest(tmp_path / str(number)))
    assert digests[0] == digests[1] != digests[2]


def test_judging_changes_no_weight(tiny, tmp_path):
    """The decision has no part in the steps, where no stop condition is set."""
    digests = set()
    for name, config in {"a": JUDGED["decision"], "b": WIDE_MATCH, "c": WIDE["decision"]}.items():
        tiny.unlearn(tmp_path / name, decision=config)
        digests.add(revised_digest(tmp_path / name))
    assert len(digests) == 1


def test_a_loss_that_is_not_finite_stops_the_run(tiny, tmp_path):
    with pytest.raises(TrainingError, match="no result was written.* last good checkpoint, of step 0, is kept in"):
        tiny.judged(tmp_path / "out", learning_rate=1e30, max_epochs=5)
    assert [path.name for path in tmp_path.iterdir()] == [".out.checkpoint"]


def known(*, composed=("one",), objective="match_reference", recalibrate=True, seed=None):
    settings = SimpleNamespace(
        judged_by=SimpleNamespace(objective=objective),
        data=SimpleNamespace(cohort=None),
        subsets={REMAIN_TRAIN: ["images"]},
        network=nn.Linear(4, 2),
        recalibrate=recalibrate,
        checkpoint_path=Path("weights.pt"),
        device=torch.device("cpu"),
        seed=0,
    )
    return SimpleNamespace(
        settings=settings,
        composed=composed,
        remain=SimpleNamespace(images=["sample"]),
        retraining="as recorded",
        record={} if seed is None else {"seed": seed},
        predicting=SimpleNamespace(proxies=lambda workshop: workshop),
    )


@pytest.fixture
def kind(monkeypatch):
    """Says what kind of cohort a run is about."""
    return lambda name: monkeypatch.setattr(revision_updates, "kind_of", lambda _data: name)


def test_parts_without_validation_images_give_none():
    subsets = {("forget", "validation"): [], ("remain", "validation"): ["image"], ("remain", "train"): ["other"]}
    assert _validation(subsets) == {"remain": ["image"]}
    assert _validation({("forget", "validation"): ["image"]}) == {"forget": ["image"]}


def test_a_composition_is_judged_by_references_or_by_what_is_known_of_erasure(kind):
    retrained = [SimpleNamespace(network=nn.Linear(4, 2))]
    kind("group")
    assert _judge(known(), retrained).formula == FORMULA
    assert _judge(known(), ()) is None
    assert _judge(known(objective="erase"), ()).formula == ERASURE_FORMULA
    kind("class")
    assert _judge(known(), ()).formula == ERASURE_FORMULA
    assert _judge(known(), retrained).formula == FORMULA


def test_what_composes_nothing_is_judged_by_nothing(kind):
    kind("class")
    assert _judge(known(composed=()), ()) is None
    assert _judge(known(composed=(), objective="erase"), ()) is None


def test_candidates_are_recalibrated_as_the_result_will_be(kind):
    kind("class")
    run = known()
    assert _judge(run, ())._remain is run.remain.images
    assert _judge(known(recalibrate=False), ())._remain is None


def test_only_the_main_process_judges(kind, monkeypatch):
    kind("class")
    monkeypatch.setattr(distributed, "is_main_process", lambda: False)
    assert _judge(known(), ()) is None


@pytest.mark.parametrize(("seed", "first"), [(None, 1), (0, 1), (6, 7)])
def test_proxies_begin_after_the_seed_of_the_original(seed, first):
    original = nn.Linear(4, 2)
    workshop = proxies_of(known(seed=seed), original, None)
    assert (workshop.first_seed, workshop.original, workshop.retraining) == (first, original, "as recorded")
    assert workshop.remain == ["images"]
