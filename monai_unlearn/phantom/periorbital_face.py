"""The anatomy of a phantom face around the eyes, drawn from measured distributions; periorbital_paint.py paints it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monai_unlearn.phantom.periorbital_statistics import (
    IRIS_WIDTH,
    NAMES,
    SHIFTS,
    SIDED,
    Condition,
    Floats,
    Shift,
    correlations,
    healthy_deviations,
    healthy_means,
    without_side,
)

# The limits of a plausible eye: lids that open and an iris between the canthi, in mm and degrees.
_VPF, _HPF, _TILT = (2.8, 16.0), (17.0, 33.0), (-25.0, 25.0)
_UPPER_SHARE = (0.18, 0.75)  # of the fissure over the middle of the pupil
_ICD = (20.0, 58.0)
_IRIS_PLACE = (0.38, 0.64)  # from the inner to the outer canthus
_BROW_OVER_LID = 3.5  # mm


@dataclass(frozen=True)
class Eye:
    """One eye with its lids and brow, in mm and degrees.

    Attributes:
        vpf: Vertical palpebral fissure, through the centre of the pupil.
        mrd1: Margin reflex distance 1: from the centre of the pupil up to the upper lid.
        hpf: Horizontal palpebral fissure, from canthus to canthus.
        brow_height: From the centre of the pupil up to the lower edge of the brow.
        canthal_tilt: Angle by which the outer canthus lies above the inner.
        flare: How far the peak of the upper lid has moved to the temporal side, 0 to 1.
    """

    vpf: float
    mrd1: float
    hpf: float
    brow_height: float
    canthal_tilt: float
    flare: float

    @property
    def mrd2(self) -> float:
        """Margin reflex distance 2: from the centre of the pupil down to the lower lid, in mm."""
        return self.vpf - self.mrd1


@dataclass(frozen=True)
class Face:
    """Both eyes and the distances between them.

    Attributes:
        ipd: Interpupillary distance, in mm.
        icd: Intercanthal distance, in mm.
        dystopia: How much higher the left eye lies than the right, in mm.
        redness: Redness of conjunctiva and lids, 0 to 1.
        swelling: Swelling of the lids, 0 to 1.
    """

    right: Eye
    left: Eye
    ipd: float
    icd: float
    dystopia: float
    redness: float
    swelling: float

    def measurements(self) -> dict[str, tuple[float, str]]:
        """Return each measurement and its unit, named as in the published table: `r_vpf`, `icd` and so on."""
        found: dict[str, tuple[float, str]] = {}
        for side, eye in (("r", self.right), ("l", self.left)):
            for name in ("vpf", "mrd1", "mrd2", "hpf"):
                found[f"{side}_{name}"] = (getattr(eye, name), "mm")
            found[f"{side}_canthal_tilt"] = (eye.canthal_tilt, "deg")
        return {**found, "ipd": (self.ipd, "mm"), "icd": (self.icd, "mm")}


def draw_face(rng: np.random.Generator, condition: Condition, *, severity: float = 1.0) -> Face:
    """Draw a face with this condition: normal with the correlations of healthy faces, then shifted.

    Args:
        rng: Random generator.
        condition: The condition.
        severity: Factor on the mean shifts of the condition; the sizes of the literature with 1.
    """
    shift = SHIFTS[condition]
    standard = np.linalg.cholesky(correlations()) @ rng.standard_normal(len(NAMES))
    values = dict(
        zip(NAMES, healthy_means() + healthy_deviations() * standard + _shifted(rng, shift, severity), strict=True)
    )
    icd = float(np.clip(values["icd"], *_ICD))
    eyes = [_eye(values, side, flare=rng.uniform(*shift.flare)) for side in "rl"]
    # Both irises must lie between their canthi.
    widths = [eye.hpf for eye in eyes]
    ipd = float(np.clip(values["ipd"], icd + 2 * _IRIS_PLACE[0] * max(widths), icd + 2 * _IRIS_PLACE[1] * min(widths)))
    return Face(
        right=eyes[0],
        left=eyes[1],
        ipd=ipd,
        icd=icd,
        dystopia=rng.normal(0.0, shift.dystopia),
        redness=rng.uniform(*shift.redness),
        swelling=rng.uniform(*shift.swelling),
    )


def change_between_visits(rng: np.random.Generator, face: Face) -> Face:
    """Return the face at a later visit, with slightly different lid positions."""

    def later(eye: Eye) -> Eye:
        vpf = float(np.clip(eye.vpf + rng.normal(0.0, 0.4), *_VPF))
        return Eye(vpf, eye.mrd1 * vpf / eye.vpf, eye.hpf, eye.brow_height, eye.canthal_tilt, eye.flare)

    right, left = later(face.right), later(face.left)
    return Face(right, left, face.ipd, face.icd, face.dystopia, face.redness, face.swelling)


def _shifted(rng: np.random.Generator, shift: Shift, severity: float) -> Floats:
    own = rng.standard_normal(len(NAMES))
    means, spreads = (np.array([by.get(without_side(name), 0.0) for name in NAMES]) for by in (shift.mean, shift.own))
    shifted: Floats = severity * means + spreads * own
    return shifted


def _eye(values: dict[str, float], side: str, *, flare: float) -> Eye:
    vpf, mrd1, hpf, brow_height, tilt = (float(values[f"{side}_{name}"]) for name in SIDED)
    vpf = float(np.clip(vpf, *_VPF))
    mrd1 = float(np.clip(mrd1, _UPPER_SHARE[0] * vpf, _UPPER_SHARE[1] * vpf))
    brow_height = max(brow_height, mrd1 + _BROW_OVER_LID)
    return Eye(
        vpf=vpf,
        mrd1=mrd1,
        hpf=float(np.clip(hpf, *_HPF)),
        brow_height=min(brow_height, 2.4 * IRIS_WIDTH),
        canthal_tilt=float(np.clip(tilt, *_TILT)),
        flare=flare,
    )
