"""Where each readable image is: in a part, or outside the population."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    from monai_unlearn.cohort.resolve.cohort import Cohort

OUTSIDE = "outside"
"""Not a part: where an image is that the population of a spec leaves out."""
PLACES = (*PARTS, OUTSIDE)


def places(cohort: Cohort) -> pd.DataFrame:
    """Return where every readable image is: columns `place` and `patient`, indexed by `image_id`."""
    image, patient = cohort.answers.image, cohort.answers.units["patient"]
    where = np.full(len(image.codes), OUTSIDE, dtype=object)
    for part, mask in cohort.membership.items():
        where[mask] = part
    rows = cohort.answers.readable
    return pd.DataFrame(
        {"place": where[rows], "patient": patient.codes[rows]},
        index=pd.Index(np.array(image.names, dtype=object)[image.codes[rows]], name="image_id"),
    )
