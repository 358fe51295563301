"""A MONAI Deploy application: reads DICOM images, predicts with a revised bundle, and writes DICOM reports.

    python examples/map/app.py --input IMAGES --output REPORTS --model MODELS

IMAGES holds DICOM files; MODELS holds one folder, and in it the bundle's `model.ts`. `docs/deploy.md` explains both.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from monai.deploy.conditions import CountCondition
from monai.deploy.core import AppContext, Application, Image, IOType, Operator, OperatorSpec
from monai.deploy.operators.monai_bundle_inference_operator import (
    IOMapping,
    MonaiBundleInferenceOperator,
    get_bundle_config,
)

from monai_unlearn.release.report_content import ModelIdentity, encode_report
from monai_unlearn.release.sr import read_source, write_report


class Reader(Operator):
    """Emits one image a tick, read by the `loading` transform of the bundle: the array alone, without metadata."""

    def __init__(self, fragment: Application, *conditions: CountCondition, files: list[Path], script: Path) -> None:
        self.files = iter(files)
        # The configs are in the file itself. `loading` reads as in training, and MONAI Deploy leaves it to the reader.
        self.load = get_bundle_config(str(script), ["inference"]).get_parsed_content("loading")
        super().__init__(fragment, *conditions, name="reader")

    def setup(self, spec: OperatorSpec) -> None:
        """Declare the ports: the image for the network, the path for the report."""
        spec.output("image")
        spec.output("path")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:  # noqa: ANN401, ARG002 - Holoscan's signature
        """Read the next image."""
        path = next(self.files)
        pixels = np.asarray(self.load({"image": str(path)})["image"])
        # With metadata, the operator would take the array for a DICOM series and swap its axes.
        op_output.emit(Image(pixels), "image")
        op_output.emit(str(path), "path")


class Reporter(Operator):
    """Writes the prediction as a DICOM SR that names the model's version."""

    def __init__(self, fragment: Application, *, out: Path, model: ModelIdentity) -> None:
        self.out, self.model = out, model
        super().__init__(fragment, name="reporter")

    def setup(self, spec: OperatorSpec) -> None:
        """Declare the ports: the prediction and the path of its image."""
        spec.input("pred")
        spec.input("path")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:  # noqa: ANN401, ARG002 - Holoscan's signature
        """Write one report."""
        source = read_source(op_input.receive("path"))
        # Only `probabilities` are the prediction: `result`, beside them, names a class for every value cut to 0 or 1.
        probabilities = [float(value) for value in op_input.receive("pred")["probabilities"]]
        report = encode_report(source, probabilities, model=self.model)
        write_report(report, self.out / f"{source.SOPInstanceUID}.dcm")


class ClassifierApp(Application):
    """Reads, predicts and reports; ends after the last image."""

    def compose(self) -> None:
        """Connect the three operators."""
        context: AppContext = Application.init_app_context(self.argv)
        # highdicom logs the UIDs of the images that it reports on.
        logging.getLogger("highdicom").setLevel(logging.WARNING)
        script, files = model_script(context), dicom_images(Path(context.input_path))
        # Without the condition, Holoscan ticks a source without end.
        reader = Reader(self, CountCondition(self, len(files)), files=files, script=script)
        predict = MonaiBundleInferenceOperator(
            self,
            app_context=context,
            input_mapping=[IOMapping("image", Image, IOType.IN_MEMORY)],
            output_mapping=[IOMapping("pred", dict, IOType.IN_MEMORY)],
            bundle_path=script,
            name="predict",
        )
        reporter = Reporter(self, out=Path(context.output_path), model=ModelIdentity.of_export(script))
        self.add_flow(reader, predict, {("image", "image")})
        self.add_flow(reader, reporter, {("path", "path")})
        self.add_flow(predict, reporter, {("pred", "pred")})


def model_script(context: AppContext) -> Path:
    """Return the one `model.ts` that MONAI Deploy found.

    Raises:
        SystemExit: It found none, or several.
    """
    found = [Path(model.path) for _, model in context.models.items()] if context.models else []
    if len(found) != 1 or not found[0].is_file():
        # A folder that holds model.ts itself counts as a model without a network.
        raise SystemExit(
            f"{context.model_path}: expected one folder that holds only model.ts, such as "
            f"{context.model_path}/classifier/model.ts. Move the file there."
        )
    return found[0]


def dicom_images(folder: Path) -> list[Path]:
    """Return the DICOM images in a folder, sorted.

    Raises:
        SystemExit: There is none.
    """
    images = [path for path in sorted(folder.rglob("*")) if path.is_file() and is_image(path)]
    if not images:
        raise SystemExit(f"{folder}: expected DICOM images, found none. Give their folder with --input.")
    return images


def is_image(path: Path) -> bool:
    """Return whether a file is a DICOM image: reports have no pixels, and those of a segmentation are labels."""
    source = read_source(path)
    return source is not None and "Rows" in source and source.get("Modality") != "SEG"


if __name__ == "__main__":
    ClassifierApp().run()
