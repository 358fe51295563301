"""Bundle runs of a sweep, played: recorded instead of run, with the metrics that a run would write."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tiny import tiny_index, tiny_spec

from monai_unlearn.experiments import runner
from monai_unlearn.vocabulary.run_folder import RunFolder


class Ended:
    """A process that has ended."""

    def __init__(self, code: int):
        self.code = code

    def wait(self):
        return self.code

    def poll(self):
        return self.code

    def terminate(self):
        pass


class PlayedRuns:
    """A bundle, a spec and an index; `runs` holds the settings of each run, `play` returns its exit code.

    The forget accuracy is 0.5 where `method::noise` is 0, and 0.1 where it is 1; `method::proximity_weight` adds to it.
    """

    def __init__(self, folder: Path, monkeypatch):
        tiny_index(folder)
        self.folder, self.out, self.spec, self.index = folder, folder / "sweep", tiny_spec(folder), folder / "index"
        self.config = folder / "bundle" / "configs" / "unlearn.yaml"
        self.config.parent.mkdir(parents=True)
        self.config.write_text("split: {seed: 0, test_fraction: 0.2}\n", encoding="utf-8")
        self.runs: list[dict[str, str]] = []
        self.play = lambda _: 0
        monkeypatch.setattr(runner, "start", self._start)

    def _start(self, words, *, stdout, **_):
        assert (words[0], words[3:7]) == (
            sys.executable,
            [str(self.folder / "bundle"), "monai.bundle", "run", "unlearn"],
        )
        settings = dict(word[2:].split("=", 1) for word in words[9:])
        self.runs.append(settings)
        code = self.play(settings)
        if code in (0, 3):
            self._write(settings, code)
        else:
            stdout.write("Reading images\nError: what the run said.\n")
        return Ended(code)

    def _write(self, settings, code):
        run = RunFolder(Path(settings["output_dir"]))
        run.evidence.mkdir(parents=True)
        accuracy = {"0": 0.5, "1": 0.1}[settings["method::noise"]] + float(settings["method::proximity_weight"])
        models = {"original": (0.9, 0.9), "revised": (accuracy, 0.8), "reference": (0.2, 0.9)}
        if "reference" not in settings:
            del models["reference"]
        if settings.get("reference") == "retrain":
            for seed in (1, 2):
                run.reference(seed).mkdir(parents=True)
                (run.reference(seed) / "model.pt").write_bytes(b"weights")
        metrics = {
            "models": {
                name: {
                    part: {"validation": {"n": 10, "accuracy": value}}
                    for part, value in zip(("forget", "remain"), both, strict=True)
                }
                for name, both in models.items()
            },
            "cost": {
                "gradient_evaluations": {"unlearning": 100},
                "share_of_retraining_gradients": 0.1,
                "seconds": {"unlearning": 1.0},
            },
            "verdict": "equivalent" if code == 0 else "inconclusive",
        }
        run.metrics.write_text(json.dumps(metrics), encoding="utf-8")
