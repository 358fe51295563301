"""Evaluates a release again, from its weights and the images of an index, and compares with what it says of itself.

The bundle runs as a process of its own, as everything in this room does. Whoever replays executes the bundle's code:
only a bundle whose files and signature were found sound is replayed.
"""

from __future__ import annotations

import csv
import json
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from monai_unlearn.errors import ConfigError, DataError
from monai_unlearn.evaluation.decision import decide_again
from monai_unlearn.evaluation.prediction_table import PredictionTable
from monai_unlearn.index import Index
from monai_unlearn.release.contents import WEIGHTS
from monai_unlearn.release.verify.cards import JSON, read_card
from monai_unlearn.release.verify.report import Fault, tampered
from monai_unlearn.safe_path import module_command, safe_environment
from monai_unlearn.vocabulary.bundle_files import DOCS
from monai_unlearn.vocabulary.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from monai_unlearn.release.verify.report import Report

    Floats = NDArray[np.float64]

PROBABILITY_TOLERANCE = 0.001
"""Largest difference of a class's probability: other processors and batches round otherwise."""
ACCURACY_TOLERANCE = 0.005
"""Largest difference of an accuracy: an image whose two likeliest classes are equal within the first tolerance."""
_INFERENCE = ("inference.yaml", "inference.yml", "inference.json")


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What a replay found.

    Attributes:
        images: How many images were evaluated again.
        missing: How many images of the evidence the index has no more.
        largest_difference: Of a probability.
        faults: What is not as the release says.
    """

    images: int
    missing: int
    largest_difference: float
    faults: tuple[Fault, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, with the tolerances."""
        return {
            "images": self.images,
            "missing": self.missing,
            "largest_difference": self.largest_difference,
            "probability_tolerance": PROBABILITY_TOLERANCE,
            "accuracy_tolerance": ACCURACY_TOLERANCE,
        }


def with_replay(report: Report, bundle: Path, index_dir: Path) -> tuple[Report, dict[str, Any] | None]:
    """Replay a bundle that was found sound, and return the report with what was found, and the figures of the replay.

    Args:
        report: What `verify` found. With a fault, nothing is run, and a warning says so.
        bundle: The bundle, as the run wrote it: with `evidence/` beside it.
        index_dir: The index of the images.

    Raises:
        InputError: As `replay`.
    """
    if report.faults:
        return replace(report, warnings=[*report.warnings, "Nothing was replayed: that would run the bundle."]), None
    found = replay(bundle, index_dir)
    notes = [f"{found.missing} images of the evidence are not in the index, and were not evaluated again."]
    warnings = [*report.warnings, *(notes if found.missing else [])]
    return replace(report, faults=found.faults, warnings=warnings), found.to_dict()


def replay(bundle: Path, index_dir: Path) -> Replayed:
    """Predict the images of the evidence again, and compare with its predictions and with the card.

    Args:
        bundle: The bundle, with `evidence/` beside it.
        index_dir: The index of the images.

    Raises:
        ConfigError: There is no evidence, or no inference config.
        DataError: The index has none of the images, or the bundle's process failed.
        IndexReadError: The index cannot be read.
    """
    run = RunFolder(bundle.resolve().parent)
    if not run.predictions.is_file():
        raise ConfigError(
            f"{run.predictions} is missing. A replay compares with the evidence of the run: verify the bundle where "
            "the run wrote it, beside its evidence."
        )
    table = PredictionTable.read(run.predictions)
    if table.multilabel:
        raise ConfigError(f"{bundle}: a network with several labels cannot be replayed. Verify it without --replay.")
    known = _paths(index_dir)
    rows = np.array([image in known for image in table.frame["image_id"]], dtype=bool)
    if not rows.any():
        raise DataError(f"{index_dir}: none of the {len(rows)} images of the evidence is in this index. Give theirs.")
    kept = table.frame[rows]
    predicted = _of_classes(_predict(bundle, [known[image] for image in kept["image_id"]]))
    recorded = table.probabilities(table.named("revised")[0])[rows]
    difference = np.abs(predicted - recorded).max(1)
    # NaN is no agreement.
    beyond = int((~(difference <= PROBABILITY_TOLERANCE)).sum())
    faults = [*_predictions(beyond, difference), *_accuracies(bundle, table, predicted, rows), *_verdict(bundle, run)]
    largest = float(np.nan_to_num(difference, nan=1.0).max())
    return Replayed(
        images=int(rows.sum()), missing=int((~rows).sum()), largest_difference=largest, faults=tuple(faults)
    )


def _paths(index_dir: Path) -> dict[str, str]:
    frame = Index.open(index_dir).frame(["image_id", "path"])
    return {str(image): str(path) for image, path in zip(frame["image_id"], frame["path"], strict=True)}


def _predict(bundle: Path, files: list[str]) -> Floats:
    """Run the bundle's inference on files, and return its probabilities, shape (image, class)."""
    configs = (bundle.resolve() / "configs" / name for name in _INFERENCE)
    config = next((path for path in configs if path.is_file()), None)
    if config is None:
        raise ConfigError(f"{bundle}: there is no configs/inference.yaml, so the bundle cannot be replayed.")
    with tempfile.TemporaryDirectory() as folder:
        overlay = Path(folder) / "files.json"
        overlay.write_text(json.dumps({"files": files}), encoding="utf-8")
        names = json.dumps([str(config), str(overlay)])
        words = ("monai.bundle", "run", "infer", "--config_file", names, f"--output_dir={folder}/out")
        command = module_command(*words, folder=bundle.resolve())
        # Compiled modules in the bundle would be files that its signature does not cover.
        environment = {**safe_environment(), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(  # noqa: S603 - no shell; the words are ours
            command, env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            last = (done.stderr.strip() or "it printed nothing").splitlines()[-1]
            raise DataError(f"{bundle}: the bundle's inference failed: {last}")
        found = dict(_rows(Path(folder) / "out" / "predictions.csv"))
    return np.array([found[one] for one in files], dtype=np.float64)


def _of_classes(predicted: Floats) -> Floats:
    """Return a probability for each class: a network with one logit says that of the second of two classes alone."""
    return np.hstack([1 - predicted, predicted]) if predicted.shape[1] == 1 else predicted


def _rows(path: Path) -> Iterator[tuple[str, list[float]]]:
    with path.open(encoding="utf-8", newline="") as stream:
        for name, *values in csv.reader(stream):
            if values and not _is_number(values[0]):  # a header, which MONAI's ClassificationSaver alone does not write
                continue
            yield name, [float(value) for value in values]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _predictions(beyond: int, difference: Floats) -> Iterator[Fault]:
    if beyond:
        what = f"{beyond} of {len(difference)} images are predicted otherwise than in the evidence, by up to"
        most = f"{float(np.nan_to_num(difference, nan=1.0).max()):.3f}"
        yield tampered(WEIGHTS.as_posix(), f"{what} {most}; {PROBABILITY_TOLERANCE} is tolerated.")


def _accuracies(bundle: Path, table: PredictionTable, predicted: Floats, rows: NDArray[np.bool_]) -> Iterator[Fault]:
    """Compare the accuracy of every subset that is there as a whole with the card."""
    card = {row["key"]: row for row in (read_card(bundle) or {}).get("metrics", ())}
    frame = table.frame.assign(kept=rows)
    right = np.zeros(len(frame), dtype=bool)
    right[rows] = np.array(table.class_names)[predicted.argmax(1)] == frame.loc[rows, "label"].to_numpy()
    for (part, split), subset in frame.groupby(["part", "split"], observed=True):
        key = f"accuracy/{part}/{split}/all"
        if key not in card or not subset["kept"].all() or card[key]["n"] != len(subset):
            continue
        value, said = float(right[subset.index].mean()), card[key]["after"]["value"]
        if said is None or abs(value - said) > ACCURACY_TOLERANCE:
            yield tampered(f"{DOCS}/{JSON}", f"{key} is {said} after the revision; evaluated again, it is {value:.4f}.")


def _verdict(bundle: Path, run: RunFolder) -> Iterator[Fault]:
    said, found = (read_card(bundle) or {}).get("verdict"), decide_again(run).verdict
    if said != found:
        yield tampered(f"{DOCS}/{JSON}", f"verdict is {said}; judged again from the evidence, it is {found}.")
