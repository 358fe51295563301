"""Tries configs on one image, in a process of its own, and says what of it went wrong."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.experiments.overlay.chosen_output import is_logits
from monai_unlearn.experiments.overlay.findings import Finding, note, problem
from monai_unlearn.safe_path import module_command, safe_environment
from monai_unlearn.staging import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECONDS = 600
_DO = {
    "configs": "Mend the config.",
    "network": "Install what it needs, or mend network_def.",
    "weights": "Get the weights that belong to network_def, as a state dict of tensors.",
    "preprocessing": "Mend preprocessing, or index images that it can read.",
    "forward": "Make network_def and preprocessing agree.",
}
_WHAT = {
    "configs": "The configs cannot be read by MONAI",
    "network": "The network cannot be built",
    "weights": "The weights cannot be loaded",
    "preprocessing": "preprocessing fails on the first image of the index",
    "forward": "The network cannot process the image",
}


def try_configs(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of `engine.dry_run` on a request.

    The process evaluates the bundle's configs, as MONAI does when it runs them.
    """
    with tempfile.TemporaryDirectory(prefix="monai-unlearn-") as folder:
        asked, report = Path(folder, "request.json"), Path(folder, "report.json")
        write_json(asked, request)
        command = module_command(
            "monai_unlearn.engine.dry_run", str(asked), str(report), folder=Path(request["bundle_root"]).resolve()
        )
        try:
            done = subprocess.run(  # noqa: S603 - this Python, our module
                command, env=safe_environment(), capture_output=True, text=True, check=False, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            return {"failed": {"configs": f"no answer within {_SECONDS} seconds"}}
        if report.is_file():
            return dict(json.loads(report.read_text(encoding="utf-8")))
    last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
    return {"failed": {"configs": last}}


def check_report(
    report: Mapping[str, Any], *, item: bool, value_range: tuple[float, float] | None
) -> Iterator[Finding]:
    """Yield what a report says against the bundle.

    Args:
        report: What `try_configs` returned.
        item: Whether an image was tried.
        value_range: The smallest and the largest input by the pixel space; None where that is not known.
    """
    for step, reason in report["failed"].items():
        if step != "training":
            yield problem(f"dry_run_{step}", f"{_WHAT[step]}: {reason}.", _DO[step])
    if not item:
        yield note(
            "no_image", "preprocessing was not tried.", "Give an index, of which one image is read: --index DIR."
        )
    shapes = [one["shape"] for one in report.get("outputs", ())]
    if shapes and not any(is_logits(shape) for shape in shapes):
        yield problem(
            "no_classifier",
            f"The network's outputs have the shapes {', '.join(map(str, shapes))} for one image, and a classifier "
            "gives (1, class).",
            "Segmentation and detection cannot be revised.",
        )
    found = report.get("input")
    if item and found and value_range is not None and not _lies_within(found, value_range):
        low, high = value_range
        yield note(
            "pixel_range",
            f"Inputs of the first image reach from {found['low']:.3g} to {found['high']:.3g}, and by pixel_space "
            f"from {low:.3g} to {high:.3g}.",
            "Set low and high of pixel_space in unlearn.yaml to the range of all images.",
        )


def _lies_within(found: Mapping[str, float], value_range: tuple[float, float]) -> bool:
    low, high = value_range
    tolerance = 0.01 * (high - low)
    return low - tolerance <= found["low"] and found["high"] <= high + tolerance
