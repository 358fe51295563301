"""A consent service on made-up data: an inbox, an index, a bundle with its protocol, a store, and played runs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml
from protocol_example import content
from release_example import write_keys, write_release

from monai_unlearn.index import write_index
from monai_unlearn.release import ledger
from monai_unlearn.release.verify import verify
from monai_unlearn.vocabulary.fields import Kind
from monai_unlearn.vocabulary.run_folder import RunFolder
from monai_unlearn.watch.plan import WatchPlan
from monai_unlearn.watch.trust import Trusted

if TYPE_CHECKING:
    from pathlib import Path

PATIENTS = 40
CLASSES = ("up", "down")
ME = os.getuid()


def patient(number: int) -> str:
    """The identifier of a patient."""
    return f"MRN-{number:04}"


def write_example(folder: Path, *, most: int = 8) -> None:
    """Write what a service needs; its protocol allows withdrawals of up to so many patients together."""
    rows = [
        {
            "image_id": f"{number:03}{eye}",
            "path": f"{number:03}{eye}.png",
            "patient": patient(number),
            "diagnosis": CLASSES[number % 2],
            "split": "train",
            "ManufacturerModelName": ("Old", "New")[number % 4 // 2],
        }
        for number in range(PATIENTS)
        for eye in "LR"
    ]
    kinds = dict.fromkeys(("diagnosis", "split", "ManufacturerModelName"), Kind.TEXT)
    write_index(pd.DataFrame(rows), folder / "index", kinds=kinds, label="diagnosis")
    bundle = write_release(folder / "bundle")
    (bundle / "configs" / "unlearn.yaml").write_text("split: {seed: 0, test_fraction: 0.2}\n", encoding="utf-8")
    write_keys(folder)
    document = content(
        bundle={"name": "Some", "version": "1.1.0", "weights": verify(bundle).weights_digest},
        qualified_for={
            "reasons": ["consent_withdrawal"],
            "patients": {"min": 1, "max": most},
            "share": {"min": 0.0, "max": most / PATIENTS},
            "classes": list(CLASSES),
        },
    )
    (folder / "protocol.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (folder / "inbox").mkdir(mode=0o750)


def plan_of(folder: Path, **changed: Any) -> WatchPlan:
    """The plan of a service there, which acts for the user of the tests."""
    values = {
        "inbox": folder / "inbox",
        "index": folder / "index",
        "protocol": folder / "protocol.yaml",
        "out": folder / "out",
        "bundle": folder / "bundle",
        "store": folder / "store",
        "key": ledger.LedgerKey.read(folder / "key.pem"),
        "key_file": folder / "key.pem",
        "trusted": Trusted(owners=frozenset({ME})),
        "settle": 0.0,
        **changed,
    }
    return WatchPlan(**values)


def drop(folder: Path, name: str, text: str | bytes, *, mode: int = 0o640) -> Path:
    """Drop a file into the inbox, as a careful sender does: whole or not at all."""
    path = folder / "inbox" / name
    aside = path.with_name(f".{name}")
    aside.write_bytes(text.encode() if isinstance(text, str) else text)
    aside.chmod(mode)
    aside.replace(path)
    return path


def withdrawals(*numbers: int) -> str:
    """A list of patients."""
    return "".join(f"{patient(number)}\n" for number in numbers)


class PlayedRun:
    """Stands in for the processes of runs: records their settings, and writes what a run writes."""

    def __init__(self) -> None:
        self.runs: list[dict[str, str]] = []
        self.code = 0

    def __call__(self, words: list[str], **_: Any) -> PlayedRun:
        settings = dict(word[2:].split("=", 1) for word in words[9:])
        self.runs.append(settings)
        write_results(RunFolder(settings_output(settings)), code=self.code)
        return self

    def wait(self, _: float | None = None) -> int:
        """The exit code."""
        return self.code

    poll = wait

    def terminate(self) -> None:
        """End it; it has ended."""


def settings_output(settings: dict[str, str]) -> Path:
    """Where a run writes to."""
    from pathlib import Path

    return Path(settings["output_dir"])


def write_results(run: RunFolder, *, code: int = 0) -> None:
    """Write what a run writes: nothing where it failed."""
    if code not in (0, 3):
        return
    run.evidence.mkdir(parents=True, exist_ok=True)
    run.bundle(accepted=code == 0).mkdir(exist_ok=True)
    verdict = {"verdict": "qualified" if code == 0 else "inconclusive", "why": ["Remain is not shown to be kept."]}
    run.metrics.write_text(json.dumps(verdict), encoding="utf-8")
