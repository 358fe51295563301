"""Bundle runs of a rehearsal, played: recorded instead of run, with the evidence that a run would write."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from decision_example import binary, decision, table
from played_runs import Ended

from monai_unlearn.cohort import CohortSpec
from monai_unlearn.evaluation.decision import decide
from monai_unlearn.experiments import runner
from monai_unlearn.index import Index, write_index
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.run_folder import RunFolder

CLASSES = ("up", "down")
PARTS = ("forget", "remain")
SUBSETS = tuple(f"{part}_{split}" for part in PARTS for split in ("train", "validation", "test"))
DECISION = {"healthy_classes": [], "min_patients": 20}
ORIGINAL, RETRAINED, REMAIN = 0.95, 0.70, 0.92


def index_of(folder, sizes):
    """An index without images: devices with so many patients of two classes, both eyes of each."""
    rows = [
        {
            "image_id": f"{device}{number:03}{eye}",
            "path": f"{device}{number:03}{eye}.png",
            "patient": f"{device}-{number:03}",
            "ManufacturerModelName": device,
            "diagnosis": CLASSES[number % 2],
        }
        for device, size in sizes.items()
        for number in range(size)
        for eye in "LR"
    ]
    kinds = dict.fromkeys(("ManufacturerModelName", "diagnosis"), Kind.TEXT)
    return write_index(pd.DataFrame(rows), folder / "index", kinds=kinds, label="diagnosis")


class PlayedRehearsal:
    """A bundle, an index of seven devices and the spec of the first; `runs` holds the settings of each run.

    A revised network classifies `reads(settings)` of the forget images correctly, and retrained ones about 70 %.
    `play` returns the exit code of a run that fails, or None. `proxies` is how many a predictor trains.
    """

    def __init__(self, folder: Path, monkeypatch, sizes=None):
        sizes = sizes or dict(zip("ABCDEFG", (60, 64, 60, 56, 60, 60, 60), strict=True))
        index_of(folder, sizes)
        self.folder, self.out, self.index = folder, folder / "rehearsal", folder / "index"
        self.bundle = folder / "bundle"
        self.config = self.bundle / "configs" / "unlearn.yaml"
        self.config.parent.mkdir(parents=True)
        self.config.write_text("split: {seed: 0, test_fraction: 0.2, validation_fraction: 0.2}\n", encoding="utf-8")
        self.spec = self.spec_of("A")
        self.runs: list[dict[str, str]] = []
        self.methods: list[dict[str, object]] = []
        self.play = lambda _: None
        self.proxies = 3
        self.more: dict[str, object] = {}  # further content of metrics.json
        self.reads = lambda method: {"reset": RETRAINED, "psg": 0.4, "finetune": 0.85}[method["name"]]
        monkeypatch.setattr(runner, "start", self._start)

    def spec_of(self, device, reason="device_deprecation"):
        path = self.folder / f"{device.lower()}.yaml"
        path.write_text(
            f"schema_version: 1\nname: {device.lower()}\nreason: {reason}\nforget: device == {device}\n",
            encoding="utf-8",
        )
        return path

    def cohorts_run(self):
        """The names of the cohorts, one for each run."""
        return [CohortSpec.read(run["cohort_spec"]).name for run in self.runs]

    def _start(self, words, *, stdout, **_):
        settings = dict(word[2:].split("=", 1) for word in words[9:])
        self.runs.append(settings)
        code = self.play(settings)
        if code is not None:
            stdout.write("Error: what the run said.\n")
            return Ended(code)
        return Ended(self._train(settings) if "train" in words[:7] else self._write(settings))

    @staticmethod
    def _train(settings):
        weights = Path(settings["checkpoint"])
        weights.parent.mkdir(parents=True)
        weights.write_bytes(b"weights")
        weights.with_name("training.json").write_text("{}", encoding="utf-8")
        return 0

    def _write(self, settings):
        run = RunFolder(Path(settings["output_dir"]))
        run.evidence.mkdir(parents=True)
        if settings["reference"] == "retrain":
            for seed in range(1, 1 + int(settings["reference_seeds"])):
                run.reference(seed).mkdir(parents=True)
                (run.reference(seed) / "model.pt").write_bytes(b"weights")
        found, outcome = judged(*self._played(settings), erases=self.erases(settings))
        share = {"share_of_retraining_gradients": 0.1}
        row = {"subset": "forget_train", "class": "up", "error": -0.04 - 0.001 * len(self.runs)}
        predicted = {"predicted": {settings["predictor"]: [row]}} if "predictor" in settings else {}
        cost = {**share, "proxies": self.proxies if "predictor" in settings else 0}
        counts = {
            part: found.frame.loc[found.frame["part"] == part, "split"].value_counts().to_dict() for part in PARTS
        }
        metrics = {**outcome.to_metrics(), "counts": counts, "cost": cost, **predicted, **self.more}
        run.metrics.write_text(json.dumps(metrics), encoding="utf-8")
        found.write(run.predictions)
        self._write_records(run, settings)
        return int(outcome.exit_code)

    def erases(self, settings):
        return settings.get("decision::objective") == "erase"

    def _write_records(self, run, settings):
        config = {"budget": 0.1, "image_size": [16, 16], "method": _method(settings)}
        index = {"index": Index.open(self.index).digest}
        run.record.write_text(json.dumps({"config": config, "digests": index}), encoding="utf-8")
        base = {"name": "Played classifier", "version": "0.1.0", "weights_digest": f"sha256:{'a' * 64}"}
        (run.evidence / "model_card_diff.json").write_text(json.dumps({"base": base}), encoding="utf-8")

    def _played(self, settings):
        """What the revised network classifies correctly, and the seed of the table."""
        method = _method(settings) | {
            key: yaml.safe_load(value) for key, value in settings.items() if key.startswith("training::")
        }
        self.methods.append(method)
        seed = int(np.frombuffer(settings["cohort_spec"].encode()[-9:-5], dtype=np.uint32)[0] % 1000)
        return self.reads(method), seed + int(settings.get("seed", 0))


@functools.cache  # a second of computing, and many runs are the same
def judged(correct, seed, *, erases):
    """Return what the networks of a run predict, and the verdict on it."""
    networks = {"original": ORIGINAL, "revised": correct} | {f"reference-{n}": RETRAINED for n in range(3)}
    shares = {
        name: {subset: binary_of(REMAIN if subset.startswith("remain") else one) for subset in SUBSETS}
        for name, one in networks.items()
    }
    patients = dict.fromkeys(SUBSETS, dict.fromkeys(CLASSES, 400))
    found = table(shares, class_names=CLASSES, patients=patients, seed=seed)
    judge = decision(CLASSES, **{**DECISION, **({"objective": "erase"} if erases else {})})
    return found, decide(judge, found)


def _method(settings):
    # Without one, a bundle's config chooses.
    return yaml.safe_load(settings.get("method", "{name: reset}"))


def binary_of(correct):
    rows = binary(correct, correct)
    return {CLASSES[0]: rows["healthy"], CLASSES[1]: rows["sick"]}
