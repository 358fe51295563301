"""A tiny cohort, a model trained on it and its revisions, once for all tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from bundle_run import JUDGED, PLAIN, WIDE_MATCH, judged, revision, run, unlearn
from tiny import tiny_index, tiny_spec

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.engine import Revision


@dataclass(frozen=True)
class Tiny:
    """The files of the tiny cohort and its model."""

    index: Path
    spec: Path
    checkpoint: Path

    def settings(self, output: Path, **overrides: Any) -> dict[str, Any]:
        """Return the settings of a run of `unlearn`."""
        decision = {} if any(name.startswith("decision::") for name in overrides) else JUDGED
        return {
            **PLAIN,
            **decision,
            "checkpoint": str(self.checkpoint),
            "index_dir": str(self.index),
            "cohort_spec": str(self.spec),
            "output_dir": str(output),
            **overrides,
        }

    def unlearn(self, output: Path, **overrides: Any) -> Any:
        """Run `unlearn`, whatever its verdict."""
        return unlearn(**self.settings(output, **overrides))

    def judged(self, output: Path, **overrides: Any) -> Any:
        """Run `unlearn`; see `judged`."""
        return judged(**self.settings(output, **overrides))

    def revision(self, output: Path, **overrides: Any) -> Revision:
        """Return the revision that `unlearn` would run."""
        return revision(**self.settings(output, **overrides))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Tiny:
    folder = tmp_path_factory.mktemp("tiny")
    tiny_index(folder)
    checkpoint = folder / "models" / "model.pt"
    run("train", "train.yaml", index_dir=str(folder / "index"), checkpoint=str(checkpoint), max_epochs=3)
    return Tiny(index=folder / "index", spec=tiny_spec(folder), checkpoint=checkpoint)


@pytest.fixture(scope="session")
def revised(tiny, tmp_path_factory):
    """A run beside two retrained references: its folder, and its workflow. Tests only read it."""
    out = tmp_path_factory.mktemp("run") / "out"
    workflow = tiny.unlearn(out, reference="retrain", reference_seeds=2, max_epochs=2, stop={})
    return out, workflow


@pytest.fixture(scope="session")
def references(tiny, tmp_path_factory):
    """A run that changed nothing beside three retrained references: its folder, and the files of these."""
    out = tmp_path_factory.mktemp("references") / "out"
    tiny.unlearn(out, reference="retrain", learning_rate=1e-12, recalibrate=False, stop={}, decision=WIDE_MATCH)
    return out, sorted(str(path) for path in (out / "evidence" / "reference").glob("seed-*/model.pt"))
