from __future__ import annotations

import pytest
from bundle_run import JUDGED, WIDE, WIDE_MATCH
from run_files import revised_digest

from monai_unlearn.errors import TrainingError


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
