"""The distribution of the anatomy around the eyes, and how two groups of conditions shift it.

The figures of healthy faces summarise the periorbital measurements published with the annotated label maps of Nahass et
al. 2024, *Open-Source Periorbital Segmentation Dataset for Ophthalmic Applications*, arXiv 2409.20407, over 983 faces:
means and standard deviations, winsorised at 1 % on each side, right and left pooled, and Pearson correlations. Lengths
there are in iris widths; an iris is taken as 11.7 mm wide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

IRIS_WIDTH = 11.7  # mm


class Condition(str, Enum):
    """The diagnosis of a patient."""

    HEALTHY = "healthy"
    THYROID_EYE_DISEASE = "thyroid_eye_disease"
    CRANIOFACIAL_DEFORMITY = "craniofacial_deformity"


# Measured at each eye: vertical palpebral fissure, margin reflex distance 1, horizontal palpebral fissure, height of
# the brow's lower edge over the pupil, canthal tilt; then the distances between pupils and between inner canthi.
SIDED = ("vpf", "mrd1", "hpf", "brow_height", "canthal_tilt")
MIDLINE = ("ipd", "icd")
NAMES = (*(f"r_{name}" for name in SIDED), *(f"l_{name}" for name in SIDED), *MIDLINE)

# In mm, the tilt in degrees. The distance to the upper lid is measured from the centre of a pixel, so it is half a
# pixel (0.02 iris widths) larger than in the table.
_MEANS = {
    "vpf": 0.690 * IRIS_WIDTH,
    "mrd1": 0.300 * IRIS_WIDTH,
    "hpf": 2.088 * IRIS_WIDTH,
    "brow_height": 1.061 * IRIS_WIDTH,
    "canthal_tilt": 5.6,
    "ipd": 5.109 * IRIS_WIDTH,
    "icd": 2.781 * IRIS_WIDTH,
}
_DEVIATIONS = {
    "vpf": 0.143 * IRIS_WIDTH,
    "mrd1": 0.084 * IRIS_WIDTH,
    "hpf": 0.253 * IRIS_WIDTH,
    "brow_height": 0.379 * IRIS_WIDTH,
    "canthal_tilt": 4.3,
    "ipd": 0.443 * IRIS_WIDTH,
    "icd": 0.413 * IRIS_WIDTH,
}
# Rows and columns as in SIDED: correlations of measures of the same eye, and of the right eye with the left.
_SAME_SIDE = (
    (1.00, 0.65, 0.41, 0.21, 0.23),
    (0.65, 1.00, 0.17, 0.40, 0.07),
    (0.41, 0.17, 1.00, 0.22, 0.12),
    (0.21, 0.40, 0.22, 1.00, -0.23),
    (0.23, 0.07, 0.12, -0.23, 1.00),
)
_OTHER_SIDE = (
    (0.78, 0.49, 0.35, 0.15, 0.22),
    (0.49, 0.59, 0.21, 0.36, 0.04),
    (0.35, 0.21, 0.37, -0.02, 0.13),
    (0.15, 0.36, -0.02, 0.75, -0.18),
    (0.22, 0.04, 0.13, -0.18, 0.44),
)
# Correlations of the distances across the midline with the measures of an eye, and with each other.
_ACROSS = ((0.02, -0.03, 0.38, 0.12, -0.15), (-0.21, -0.12, -0.08, 0.09, -0.28))
_IPD_WITH_ICD = 0.78
# One pupil above the other in a photograph is mostly a tilted head: 0.156 iris widths at 5.1 between the pupils.
HEAD_ROLL = 1.75  # standard deviation, degrees


@dataclass(frozen=True, kw_only=True)
class Shift:
    """How a condition differs from health.

    Attributes:
        mean: Added to the mean of a measure, in mm or degrees; for a measure of an eye, to both eyes.
        own: Standard deviation of an additional difference, independent for each eye, in mm or degrees.
        dystopia: Standard deviation of the height difference of the orbits, in mm.
        redness: Lowest and highest redness of conjunctiva and lids, 0 to 1.
        swelling: Lowest and highest swelling of the lids, 0 to 1.
        flare: Smallest and largest shift of the upper lid's peak to the temporal side, 0 to 1.
    """

    mean: dict[str, float] = field(default_factory=dict)
    own: dict[str, float] = field(default_factory=dict)
    dystopia: float = 0.5
    redness: tuple[float, float] = (0.0, 0.35)
    swelling: tuple[float, float] = (0.0, 0.30)
    flare: tuple[float, float] = (0.0, 0.25)


# Where a source gives only a direction, the size is ours. None of these describes an individual patient.
SHIFTS = {
    Condition.HEALTHY: Shift(),
    # Upper lids are retracted: a mean MRD1 of 6.1 mm when patients come and of 4.4 mm two years later, often on one
    # side more than on the other (Lee et al. 2020, Br J Ophthalmol 104:254); 5.1 mm here. Lower lids too, by a size
    # of ours (Lower Eyelid Contour in Graves Orbitopathy, doi 10.6084/m9.figshare.8503337). The peak of the upper lid
    # moves to the temporal side (Hui et al. 2025, Scientifica, doi 10.1155/sci5/1855515). Lids swell, conjunctiva and
    # caruncle are injected (Dutton 2018, Ophthalmic Plast Reconstr Surg 34(4S):S7).
    Condition.THYROID_EYE_DISEASE: Shift(
        mean={"vpf": 2.6, "mrd1": 1.6},
        own={"vpf": 0.8, "mrd1": 0.7},
        redness=(0.15, 0.90),
        swelling=(0.10, 0.90),
        flare=(0.15, 1.00),
    ),
    # Orbits lie far apart, by 2 standard deviations or more where one speaks of hypertelorism (Farkas et al. 1989,
    # J Craniomaxillofac Surg 17:249); fissures slant down and are short in Treacher Collins syndrome (Kolar, Farkas
    # and Munro 1985, Cleft Palate J 22(4); 1987, Am J Phys Anthropol 74:441), slant down in Apert syndrome, which is
    # asymmetric besides (Cohen and Kreiborg 1996, Int J Oral Maxillofac Surg 25:45). Lids are open wide over shallow
    # orbits, or droop: a wider spread, about the same mean.
    Condition.CRANIOFACIAL_DEFORMITY: Shift(
        mean={"icd": 9.5, "ipd": 8.0, "canthal_tilt": -11.0, "hpf": -2.5},
        own={"vpf": 1.3, "mrd1": 0.7, "canthal_tilt": 3.0},
        dystopia=2.5,
    ),
}


def without_side(name: str) -> str:
    """Return the measure of a name in `NAMES`, without its side."""
    return name.removeprefix("r_").removeprefix("l_")


def healthy_means() -> Floats:
    """Return the mean of each of `NAMES`, in mm or degrees."""
    return np.array([_MEANS[without_side(name)] for name in NAMES])


def healthy_deviations() -> Floats:
    """Return the standard deviation of each of `NAMES`, in mm or degrees."""
    return np.array([_DEVIATIONS[without_side(name)] for name in NAMES])


@cache
def correlations() -> Floats:
    """Return the correlations of `NAMES`, shape (12, 12)."""
    same, other, across = np.array(_SAME_SIDE), np.array(_OTHER_SIDE), np.array(_ACROSS)
    midline = np.array([[1.0, _IPD_WITH_ICD], [_IPD_WITH_ICD, 1.0]])
    return np.block([[same, other, across.T], [other, same, across.T], [across, across, midline]])
