"""A tiny cohort and a model trained on it, once for all tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from bundle_run import PLAIN, run
from tiny import tiny_index, tiny_spec

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Tiny:
    """The files of the tiny cohort and its model."""

    index: Path
    spec: Path
    checkpoint: Path

    def unlearn(self, output: Path, **overrides: Any) -> Any:
        """Run `unlearn`; every result is accepted unless the test declares criteria."""
        settings = {**PLAIN, "acceptance": {}, "checkpoint": str(self.checkpoint)}
        return run(
            "unlearn",
            "unlearn.yaml",
            **{
                **settings,
                "index_dir": str(self.index),
                "cohort_spec": str(self.spec),
                "output_dir": str(output),
                **overrides,
            },
        )


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Tiny:
    folder = tmp_path_factory.mktemp("tiny")
    tiny_index(folder)
    checkpoint = folder / "models" / "model.pt"
    run("train", "train.yaml", index_dir=str(folder / "index"), checkpoint=str(checkpoint), max_epochs=3)
    return Tiny(index=folder / "index", spec=tiny_spec(folder), checkpoint=checkpoint)
