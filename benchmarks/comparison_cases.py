"""The cohorts on which `method_comparison.py` compares methods: their images, their network, and what is forgotten."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from demo_cohorts import command, index_of
from mri_training import SPLITS, build_index, write_table

from monai_unlearn.index import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

ODIR_CLASSES = ["N", "D", "G", "C", "A", "M"]
CIFAR_CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
CIFAR_IMAGES = {"train": 8000, "test": 2000}
# Classes that are easily taken for each other, how often they are, and the share of another camera.
ALIKE = (("cat", "dog"), ("deer", "horse"), ("automobile", "truck"), ("airplane", "ship"), ("bird", "frog"))
TUMOURS = (("glioma", "meningioma"),)
MISREAD = 0.1
OTHER_CAMERA = 0.25


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images, and how a network is trained on them.

    Attributes:
        bundle: The folder of the bundle in `bundles/`.
        index: Writes the index, from the folder of real data and a folder to work in.
        settings: Settings that training and unlearning share.
        epochs: How many passes training makes.
        healthy: The classes that mean no disease.
        originals: The seeds of the networks that forget.
        real: Whether real data are needed.
    """

    bundle: str
    index: Callable[[Path, Path], Path]
    settings: Mapping[str, Any] = field(default_factory=dict)
    epochs: int
    healthy: tuple[str, ...] = ()
    originals: tuple[int, ...] = (0,)
    real: bool = False


@dataclass(frozen=True, kw_only=True)
class Case:
    """A cohort to forget.

    Attributes:
        images: The name of its images in `IMAGES`.
        title: What pages call it.
        kind: The kind of the cohort, as `methods/cohort_kind.py` has it.
        spec: The cohort spec; or what writes it, from the index.
        screened: Whether all methods are tried on it.
    """

    images: str
    title: str
    kind: str
    spec: Mapping[str, Any] | Callable[[Path], Mapping[str, Any]]
    screened: bool = False

    def write_spec(self, name: str, index: Path, path: Path) -> Path:
        """Write the spec of the cohort."""
        found = self.spec(index) if callable(self.spec) else self.spec
        content = {"schema_version": 1, "name": name.replace("_", "-"), **found}
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return path


def odir(data: Path, work: Path) -> Path:
    folder, index = data / "fundus_odir", work / "index"
    table = ("--table", folder / "metadata.csv", "--key", "filename", "--label", "eye_label", "--patient", "patient_id")
    command("index", "build", *map(str, (folder / "images", "--out", index, *table)))
    return index


def indexed(work: Path, *folders: Path, key: str) -> Path:
    """Index folders of images with the table `labels.csv` in the folder to work in."""
    table = ("--table", work / "labels.csv", "--key", key, "--label", "label")
    command("index", "build", *map(str, (*folders, "--out", work / "index", *table)))
    return work / "index"


def write_cifar(data: Path, work: Path) -> tuple[Path, Path]:
    """Write a sample of CIFAR-10 as files, since the data set is one table; return their folder, and that of labels."""
    import pandas as pd

    images, rows = work / "images", []
    shutil.rmtree(images, ignore_errors=True)
    images.mkdir(parents=True)
    table = pd.read_parquet(data / "cifar10" / "cifar10_jpeg.parquet")
    for split, count in CIFAR_IMAGES.items():
        for number, row in table[table["split"] == split].sample(count, random_state=0).iterrows():
            path = images / f"{split}-{number}.jpg"
            path.write_bytes(row["jpeg"])
            rows.append([path.name, row["label"], split])
    with (work / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["filename", "label", "split"], *rows])
    return images, work / "labels.csv"


def cifar(data: Path, work: Path) -> Path:
    images, _ = write_cifar(data, work)
    return indexed(work, images, key="filename")


def cifar_misread(data: Path, work: Path) -> Path:
    images, table = write_cifar(data, work)
    misread(table, ALIKE)
    return indexed(work, images, key="filename")


def cifar_two_cameras(data: Path, work: Path) -> Path:
    """Take a quarter of the photographs with another camera: negative, pale and noisy; a column `camera` says which."""
    import pandas as pd
    from PIL import Image

    images, path = write_cifar(data, work)
    draw, table = np.random.default_rng(0), pd.read_csv(path)
    is_other = draw.random(len(table)) < OTHER_CAMERA
    for name in table.loc[is_other, "filename"]:
        with Image.open(images / name) as image:
            seen = np.asarray(image.convert("RGB"), float)
        taken = 90 + 0.35 * (255 - seen) + draw.normal(0, 12, seen.shape)
        Image.fromarray(taken.clip(0, 255).astype(np.uint8)).save(images / name, quality=95)
    table["camera"] = np.where(is_other, "other", "first")
    table.to_csv(path, index=False)
    return indexed(work, images, key="filename")


def mri_misread(data: Path, work: Path) -> Path:
    write_table(data / "brain_mri", work / "labels.csv")
    misread(work / "labels.csv", TUMOURS)
    return indexed(work, *(data / "brain_mri" / split for split in SPLITS), key="path=path")


def misread(table: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """Give a tenth of the images of confusable classes the other label; a column `review` says of which that is wrong.

    Args:
        table: A CSV file with a column `label`, written anew.
        pairs: The classes that are taken for each other.
    """
    import pandas as pd

    other = {name: taken for pair in pairs for name, taken in (pair, reversed(pair))}
    frame = pd.read_csv(table)
    wrong = frame["label"].isin(list(other)) & (np.random.default_rng(0).random(len(frame)) < MISREAD)
    frame["label"] = frame["label"].where(~wrong, frame["label"].map(other))
    frame["review"] = np.where(wrong, "wrong", "right")
    frame.to_csv(table, index=False)


def drawn(share: float) -> Callable[[Path], dict[str, Any]]:
    """Return what writes a spec by which a share of all patients, drawn at random, withdraw their consent."""

    def spec(index: Path) -> dict[str, Any]:
        frame = Index.open(index).frame()
        frame = frame[frame["eye_label"].isin(ODIR_CLASSES) & frame["fault"].isna()]
        patients = sorted(frame["patient"].dropna().astype(str).unique())
        chosen = np.random.default_rng(0).permutation(patients)[: round(share * len(patients))]
        return {
            "reason": "consent_withdrawal",
            "population": f"eye_label in [{', '.join(ODIR_CLASSES)}]",
            "forget": "patient in @withdrawn",
            "value_sets": {"withdrawn": sorted(chosen.tolist())},
        }

    return spec


ODIR_SETTINGS = {"class_names": ODIR_CLASSES, "image_size": [64, 64]}
SIX = f"eye_label in [{', '.join(ODIR_CLASSES)}]"
BRAIN_MRI = Images(
    bundle="mri_classifier",
    index=lambda data, work: build_index(data / "brain_mri", work),
    settings={"image_size": [48, 48]},
    epochs=14,
    healthy=("notumor",),
    real=True,
)
CIFAR = Images(
    bundle="fundus_classifier",
    index=cifar,
    settings={"class_names": CIFAR_CLASSES, "image_size": [32, 32]},
    epochs=15,
    real=True,
)
IMAGES: dict[str, Images] = {
    "odir": Images(
        bundle="fundus_classifier", index=odir, settings=ODIR_SETTINGS, epochs=20, healthy=("N",), originals=(0, 1),
        real=True,
    ),
    "odir_two": Images(
        bundle="fundus_classifier", index=odir, settings={**ODIR_SETTINGS, "class_names": ["N", "D"]}, epochs=20,
        healthy=("N",), originals=(0, 1), real=True,
    ),
    "brain_mri": BRAIN_MRI,
    "cifar10": CIFAR,
    "cifar10_misread": replace(CIFAR, index=cifar_misread),
    "cifar10_two_cameras": replace(CIFAR, index=cifar_two_cameras),
    "brain_mri_misread": replace(BRAIN_MRI, index=mri_misread),
    "fundus_phantoms": Images(
        bundle="fundus_classifier",
        index=lambda _, work: index_of("fundus_classifier", 2000, work, drawn="--eyes 1 --size 64"),
        # After fewer passes, such as 12, networks that were retrained alike do not agree on the camera's images.
        settings={"image_size": [32, 32]}, epochs=40, healthy=("normal",),
    ),
    "mri_phantoms": Images(
        bundle="mri_classifier",
        index=lambda _, work: index_of("mri_classifier", 2000, work, drawn="--slices 1 --size 64"),
        settings={"image_size": [32, 32]}, epochs=30, healthy=("notumor",),
    ),
}  # fmt: skip
CASES: dict[str, Case] = {
    "mri_glioma": Case(
        images="brain_mri", title="brain MRI: glioma", kind="class",
        spec={"reason": "other", "forget": "label == glioma"}, screened=True,
    ),
    "fundus_phantom_camera": Case(
        images="fundus_phantoms", title="fundus phantoms: a camera", kind="device",
        spec={"reason": "device_deprecation", "forget": "device == Cirrus 800 FA", "unknown": "exclude"},
        screened=True,
    ),
    "odir_truncated_field": Case(
        images="odir", title="ODIR-5K: truncated field", kind="device",
        spec={"reason": "other", "population": SIX, "forget": "fov_style_inferred == truncated", "unknown": "exclude"},
        screened=True,
    ),
    "odir_patients": Case(
        images="odir", title="ODIR-5K: 3 % of patients", kind="patients", spec=drawn(0.03), screened=True,
    ),
    "odir_quarter": Case(
        images="odir", title="ODIR-5K: a quarter of a class", kind="part_of_class",
        spec={"reason": "other", "population": SIX, "forget": "eye_label == D",
              "sample": {"fraction": 0.25, "by": "patient", "seed": 0}},
    ),
    "mri_phantom_scanner": Case(
        images="mri_phantoms", title="MRI phantoms: a scanner", kind="device",
        spec={"reason": "device_deprecation", "forget": "device == Achieva", "unknown": "exclude"},
    ),
    "odir_two_classes": Case(
        images="odir_two", title="ODIR-5K, two classes: truncated field", kind="device",
        spec={"reason": "other", "population": "eye_label in [N, D]", "forget": "fov_style_inferred == truncated",
              "unknown": "exclude"},
    ),
    "mri_meningioma": Case(
        images="brain_mri", title="brain MRI: meningioma", kind="class",
        spec={"reason": "other", "forget": "label == meningioma"},
    ),
    "cifar_airplane": Case(
        images="cifar10", title="CIFAR-10: airplane", kind="class",
        spec={"reason": "other", "forget": "label == airplane"},
    ),
    "cifar_cat": Case(
        images="cifar10", title="CIFAR-10: cat", kind="class", spec={"reason": "other", "forget": "label == cat"},
    ),
    "cifar_random": Case(
        images="cifar10", title="CIFAR-10: a random tenth", kind="patients",
        spec={"reason": "consent_withdrawal", "forget": f"label in [{', '.join(CIFAR_CLASSES)}]",
              "sample": {"fraction": 0.1, "by": "image", "seed": 0}},
    ),
    "cifar_camera": Case(
        images="cifar10_two_cameras", title="CIFAR-10: a camera", kind="device",
        spec={"reason": "device_deprecation", "forget": "camera == other"},
    ),
    "cifar_labels": Case(
        images="cifar10_misread", title="CIFAR-10: wrong labels", kind="labels",
        spec={"reason": "label_error", "forget": "review == wrong"},
    ),
    "mri_labels": Case(
        images="brain_mri_misread", title="brain MRI: wrong labels", kind="labels",
        spec={"reason": "label_error", "forget": "review == wrong"},
    ),
    # Added once the defaults stood, which no figure of these chose.
    "odir_cataract": Case(
        images="odir", title="ODIR-5K: cataract", kind="class",
        spec={"reason": "other", "population": SIX, "forget": "eye_label == C"},
    ),
    "mri_quarter": Case(
        images="brain_mri", title="brain MRI: a quarter of a class", kind="part_of_class",
        spec={"reason": "other", "forget": "label == pituitary",
              "sample": {"fraction": 0.25, "by": "image", "seed": 0}},
    ),
}  # fmt: skip
