"""A bundle to compose: a revision with its evidence, or the original; read without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.bundle_info import BundleInfo
from monai_unlearn.release.contents import WEIGHTS
from monai_unlearn.vocabulary.bundle_files import METADATA
from monai_unlearn.vocabulary.run_folder import PROMOTED, REJECTED, RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Settings of the config that say what a network is and sees: two that are composed share them.
SHARED = (
    *("class_names", "split", "image_size", "mean", "std", "view", "position", "preprocessing"),
    *("network_def", "head", "network_output"),
)

_AS_WRITTEN = (
    "A composition follows what the runs recorded: give a revision as its run wrote it, with its evidence beside it."
)


@dataclass(frozen=True, kw_only=True)
class ParentBundle:
    """A bundle to compose.

    Attributes:
        root: The bundle's folder.
        version: Its version.
        run: The folder of the run that revised it; None of an original.
        record: What `run.json` of that run holds; empty of an original.
        metrics: What `metrics.json` holds; empty of an original.
    """

    root: Path
    version: str
    run: RunFolder | None = None
    record: Mapping[str, Any] = field(default_factory=dict, repr=False)
    metrics: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, path: Path, *, option: str) -> ParentBundle:
        """Read a bundle.

        Args:
            path: The output folder of a run, the bundle in it, or an original bundle.
            option: The option that named it, for messages.

        Raises:
            ConfigError: It is none of these, its evidence cannot be read, or its weights lie elsewhere.
        """
        root, run = _places(path)
        if not (root / METADATA).is_file():
            raise ConfigError(
                f"{option} {path}: expected the output folder of a run, its {PROMOTED} or {REJECTED}, or the original "
                "bundle, and found none of them."
            )
        weights = root / WEIGHTS
        if not weights.is_file() or not weights.resolve().is_relative_to(root.resolve()):
            raise ConfigError(f"{option} {path}: expected weights in {WEIGHTS.as_posix()} of the bundle, found none.")
        info = BundleInfo.read(root)
        if run is None:
            return cls(root=root, version=info.version)
        return cls(
            root=root,
            version=info.version,
            run=run,
            record=_document(run.record, option, sections=("config", "digests", "places")),
            metrics=_document(run.metrics, option, sections=("cost",)),
        )

    @property
    def weights(self) -> Path:
        """The file of its weights."""
        return (self.root / WEIGHTS).resolve()

    @property
    def config(self) -> Mapping[str, Any]:
        """The config of its run as executed."""
        found: Mapping[str, Any] = self.record.get("config", {})
        return found

    def place(self, name: str) -> str | None:
        """Return where its run found `bundle_root`, `checkpoint`, `index_dir` or `cohort_spec`, if it says so."""
        found = self.record.get("places", {}).get(name)
        return None if found is None else str(found)

    def digest(self, name: str) -> str | None:
        """Return a digest of its run: `base_weights`, `revised_weights`, `spec` or `index`."""
        found = self.record.get("digests", {}).get(name)
        return None if found is None else str(found)

    def references(self) -> list[str]:
        """Return the files of the retrained networks that its run compared with, where they still are."""
        if self.run is None:
            return []
        given = self.config.get("reference")
        files = [folder / "model.pt" for folder in self.run.references()]
        if not files and given not in (None, "retrain"):
            files = [Path(one) for one in ([given] if isinstance(given, str) else given)]
        return [str(file.resolve()) for file in files] if all(file.is_file() for file in files) else []

    def entry(self, *, original_digest: str) -> dict[str, Any]:
        """Return what the setting `parents` of a run says of it.

        Args:
            original_digest: The digest of the original's weights.
        """
        cost = self.metrics.get("cost", {}).get("this_run", {"gradient_evaluations": 0, "seconds": 0.0})
        return {
            "weights": str(self.weights),
            "version": self.version,
            "weights_digest": self.digest("revised_weights") or original_digest,
            "base_weights_digest": self.digest("base_weights"),
            "gradient_evaluations": cost["gradient_evaluations"],
            "seconds": cost["seconds"],
        }


def differences(a: ParentBundle, b: ParentBundle) -> list[str]:
    """Return what two revisions do not share but must, to be composed: in words, without values."""
    digests = {
        "the original's weights": "base_weights",
        "the index of the images": "index",
        "the cohort spec": "spec",
    }
    found = [words for words, name in digests.items() if a.digest(name) != b.digest(name)]
    if a.metrics.get("class_names") != b.metrics.get("class_names"):
        found.append("the classes")
    return found + [name for name in SHARED if a.config.get(name) != b.config.get(name)]


def _places(path: Path) -> tuple[Path, RunFolder | None]:
    """Return the bundle's folder and the run that wrote it, if one did."""
    for name in (PROMOTED, REJECTED):
        if (path / name).is_dir():
            return path / name, RunFolder(path)
    run = RunFolder(path.resolve().parent)
    is_revised = path.resolve().name in {PROMOTED, REJECTED} and run.evidence.is_dir()
    return path, run if is_revised else None


def _document(path: Path, option: str, *, sections: Sequence[str]) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{option}: {path} cannot be read ({type(error).__name__}). {_AS_WRITTEN}") from None
    if not isinstance(found, dict) or not all(isinstance(found.get(name, {}), dict) for name in sections):
        raise ConfigError(f"{option}: {path}: expected an object with the objects {', '.join(sections)}. {_AS_WRITTEN}")
    return found
