"""A tiny cohort and a model trained on it, once for all tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from bundle_run import JUDGED, PLAIN, judged, run, unlearn
from tiny import tiny_index, tiny_spec

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Tiny:
    folder = tmp_path_factory.mktemp("tiny")
    tiny_index(folder)
    checkpoint = folder / "models" / "model.pt"
    run("train", "train.yaml", index_dir=str(folder / "index"), checkpoint=str(checkpoint), max_epochs=3)
    return Tiny(index=folder / "index", spec=tiny_spec(folder), checkpoint=checkpoint)
