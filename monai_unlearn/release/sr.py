"""Write predictions as DICOM measurement reports (PS3.16 TID 1500) that name the version of the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
from ignite.engine import Engine, Events
from pydicom.errors import InvalidDicomError

from monai_unlearn.errors import InputError
from monai_unlearn.release.bundle_info import BundleInfo
from monai_unlearn.release.report_content import ModelIdentity, encode_report
from monai_unlearn.release.weights import weights_digest
from monai_unlearn.staging import staged_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset


class ReportWriter:
    """A handler that writes a report for each prediction on a DICOM image.

    Attach it to an evaluator whose items have `file`, the path of the image, and `pred`, probabilities by class.
    Images that are not DICOM have no study that a report could belong to, and are skipped.

    Args:
        bundle_root: The bundle, whose metadata have name and version.
        class_names: The classes, in the order of the network's outputs.
        output_dir: The folder of the reports, one file per image.
        enabled: Whether to write reports, so that a setting of the config can decide.

    Raises:
        InputError: highdicom, from the extra `pacs`, is not installed.
    """

    def __init__(
        self, *, bundle_root: str | Path, class_names: Sequence[str], output_dir: str | Path, enabled: bool = True
    ) -> None:
        self.enabled = enabled
        self.class_names = tuple(class_names)
        self.output_dir = Path(output_dir)
        self.bundle_root = Path(bundle_root)
        if enabled:
            require_highdicom()

    def attach(self, engine: Engine) -> None:
        """Write reports while this engine runs."""
        if self.enabled:
            engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Any) -> None:  # noqa: ANN401 - any MONAI evaluator
        """Write the reports of a batch."""
        bundle = BundleInfo.read(self.bundle_root)
        model = ModelIdentity(
            name=bundle.name,
            version=bundle.version,
            weights=weights_digest(engine.network.state_dict()),
            class_names=self.class_names,
        )
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            source = read_source(item["file"])
            if source is not None:
                probabilities = [float(value) for value in output["pred"]]
                document = encode_report(source, probabilities, model=model)
                write_report(document, self.output_dir / f"{source.SOPInstanceUID}.dcm")


def require_highdicom() -> None:
    """Check that highdicom is installed.

    Raises:
        InputError: highdicom is not installed.
    """
    try:
        import highdicom  # noqa: F401 - imported only to see whether it is installed
    except ImportError:
        raise InputError(
            "Writing DICOM reports takes highdicom, which is not installed. Install it with: "
            "pip install 'monai-unlearn[pacs]'"
        ) from None


def read_source(path: str | Path) -> Dataset | None:
    """Return a DICOM image without its pixels, or None if the file is not DICOM."""
    try:
        return pydicom.dcmread(path, stop_before_pixels=True)
    except InvalidDicomError:
        return None


def write_report(document: Dataset, path: Path) -> None:
    """Write a report, whole or not at all."""
    with staged_file(path) as aside:
        document.save_as(aside, enforce_file_format=True)
