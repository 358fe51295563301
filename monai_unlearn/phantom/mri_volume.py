"""A phantom head as NIfTI: the volume, and the label map of brain and lesion."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.phantom.mri_slice import FIELD_OF_VIEW

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

LOWEST, HIGHEST = -80.0, 84.0  # approximate levels of the first and the last slice, in mm
SLICE = 4.0  # mm between two slices


def volume_levels() -> list[float]:
    """Return the levels of a volume's slices, from foot to head, in mm."""
    return [float(level) for level in np.arange(LOWEST, HIGHEST + SLICE / 2, SLICE)]


def write_volume(path: Path, slices: list[npt.NDArray[Any]]) -> None:
    """Write slices, from foot to head, as a gzipped NIfTI volume; the same slices give the same bytes.

    Args:
        path: The file to write.
        slices: Each of shape (rows to the back, columns to the patient's left).
    """
    from nibabel.nifti1 import Nifti1Image

    pixel = FIELD_OF_VIEW / len(slices[0])
    # NIfTI counts to the patient's right and front, where columns run to the left and rows to the back.
    affine = np.diag([-pixel, -pixel, SLICE, 1.0])
    affine[:3, 3] = [(FIELD_OF_VIEW - pixel) / 2, (FIELD_OF_VIEW - pixel) / 2, LOWEST]
    image = Nifti1Image(np.stack(slices, axis=-1).transpose(1, 0, 2), affine)
    image.header.set_xyzt_units("mm")
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=6, mtime=0))
