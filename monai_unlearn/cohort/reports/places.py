"""Where each readable image is: in a part, or outside the population."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monai_unlearn.cohort.resolve.frozen import Frozen
from monai_unlearn.cohort.resolve.missing_identifier import patients_of
from monai_unlearn.vocabulary.parts import PARTS

if TYPE_CHECKING:
    import pandas as pd

    from monai_unlearn.cohort.resolve.cohort import Cohort
    from monai_unlearn.index import Index

OUTSIDE = "outside"
"""Not a part: where an image is that the population of a spec leaves out, or that a frozen cohort does not have."""
PLACES = (*PARTS, OUTSIDE)


def places(cohort: Cohort) -> pd.DataFrame:
    """Return where every readable image is: columns `place` and `patient`, indexed by `image_id`."""
    import pandas as pd

    image, patient = cohort.answers.image, cohort.answers.units["patient"]
    where = np.full(len(image.codes), OUTSIDE, dtype=object)
    for part, mask in cohort.membership.items():
        where[mask] = part
    rows = cohort.answers.readable
    return pd.DataFrame(
        {"place": where[rows], "patient": patient.codes[rows]},
        index=pd.Index(np.array(image.names, dtype=object)[image.codes[rows]], name="image_id"),
    )


def joined(first: Cohort | Frozen, second: Cohort | Frozen, index: Index | None) -> pd.DataFrame:
    """Return where every image is in two cohorts: columns `a`, `b` and `patient`, indexed by `image_id`.

    `patient` numbers the patients, −1 where an image names none; there is no such column without an index.

    Raises:
        IndexReadError: The index cannot be read.
    """
    import pandas as pd

    tables = [_of_frozen(side) if isinstance(side, Frozen) else places(side) for side in (first, second)]
    found = pd.DataFrame({name: table["place"] for name, table in zip("ab", tables, strict=True)}).fillna(OUTSIDE)
    if index is None:
        return found
    known = next((table["patient"] for table in tables if "patient" in table), None)
    patients = _patients(index) if known is None else known
    return found.assign(patient=patients.reindex(found.index, fill_value=-1))


def _of_frozen(frozen: Frozen) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({"place": pd.Series(frozen.parts, dtype=object)}).rename_axis("image_id")


def _patients(index: Index) -> pd.Series[int]:
    import pandas as pd

    frame = index.frame(["image_id", "patient"]).drop_duplicates("image_id")
    codes, _ = pd.factorize(patients_of(frame))
    return pd.Series(codes, index=pd.Index(frame["image_id"], name="image_id"))
