from __future__ import annotations

from monai_unlearn.evaluation.predictors import CohortShape
from monai_unlearn.evaluation.predictors.last_blocks import LAST_BLOCKS


def test_it_asks_for_two_blocks_and_as_many_networks_as_it_is_told():
    class Workshop:
        def tuned(self, name, *, blocks, seeds):
            return name, blocks, seeds

    assert LAST_BLOCKS.make(Workshop(), None, 3) == ("last_blocks", 2, 3)


def test_a_device_may_be_of_any_size():
    shape = CohortShape(reason="device_deprecation", forget={"a": 500}, remain={"a": 1})
    assert LAST_BLOCKS.refusal(shape) is None
