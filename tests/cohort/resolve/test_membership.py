from __future__ import annotations

import numpy as np

from monai_unlearn.cohort.resolve.membership import Membership
from monai_unlearn.vocabulary.parts import PARTS


def test_parts_come_in_their_order_with_their_masks():
    masks = {part: np.array([number == place for number in range(3)]) for place, part in enumerate(PARTS)}
    items = dict(Membership(**masks).items())
    assert list(items) == list(PARTS)
    assert all((items[part] == masks[part]).all() for part in PARTS)
