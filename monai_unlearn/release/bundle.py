"""The bundle around the weights: its metadata, and its revised successor."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.travels import LEFT_BEHIND, say_that_it_travels
from monai_unlearn.release.weights import save_weights
from monai_unlearn.staging import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import nn

METADATA = Path("configs/metadata.json")
WEIGHTS = Path("models/model.pt")
TRAINING_RECORD = Path("models/training.json")
# Keys of a training record that name images; the record of the original stays where the images are.
_OF_IMAGES = ("members",)


@dataclass(frozen=True, kw_only=True)
class BundleInfo:
    """The metadata of a bundle.

    Args:
        root: The bundle's folder.
        name: Its name.
        version: Its version, as in the metadata.
        metadata: The whole of `configs/metadata.json`.
    """

    root: Path
    name: str
    version: str
    metadata: Mapping[str, Any]

    @classmethod
    def read(cls, root: str | Path) -> BundleInfo:
        """Read a bundle's metadata.

        Raises:
            ConfigError: There is no metadata, or it is not JSON with a version.
        """
        path = Path(root) / METADATA
        try:
            metadata = json.loads(path.read_text(encoding="utf-8"))
            version = str(Version(metadata["version"]))
        except OSError:
            raise ConfigError(f"{path} is missing: {root} is not a MONAI bundle. Give --bundle_root FOLDER.") from None
        except (json.JSONDecodeError, KeyError, TypeError, InvalidVersion) as error:
            raise ConfigError(f"{path}: expected JSON with a 'version' like 1.2.3 ({type(error).__name__}).") from None
        return cls(root=Path(root), name=str(metadata.get("name", Path(root).name)), version=version, metadata=metadata)

    @property
    def next_version(self) -> str:
        """The version after a revision: the minor version goes up, since behaviour changes."""
        major, minor, *_ = (*Version(self.version).release, 0, 0)
        return f"{major}.{minor + 1}.0"


def write_revised_bundle(
    base: BundleInfo,
    target: Path,
    *,
    network: nn.Module,
    record: Mapping[str, Any],
    settings: Mapping[str, Any],
    change: str,
    documents: Mapping[str, str],
) -> None:
    """Write a whole bundle with new weights, version, changelog entry and documents.

    Configs, scripts and documents are copied; exports and run outputs of the base are not.

    Args:
        base: The bundle to revise.
        target: A folder that does not exist.
        network: The revised network.
        record: The training record of the original weights; empty if there is none.
        settings: The classes, image size, normalisation and split of the run, and which classes mean no disease; they
            replace those in the configs and the metadata of the base.
        change: The changelog entry, one line.
        documents: Texts to add to `docs/`, by file name. Those of the revision before are kept, with the version that
            they are about in their name.
    """
    shutil.copytree(base.root, target, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    version = base.next_version
    changelog = {version: change, **base.metadata.get("changelog", {})}
    metadata = _with_classes(base.metadata, settings.get("class_names"))
    write_json(target / METADATA, {**metadata, "version": version, "changelog": changelog})
    for config in sorted((target / "configs").glob("*.yaml")):
        config.write_text(_with_settings(config.read_text(encoding="utf-8"), settings), encoding="utf-8")
    save_weights(network, target / WEIGHTS)
    if record:
        write_json(target / TRAINING_RECORD, {key: value for key, value in record.items() if key not in _OF_IMAGES})
    docs = target / "docs"
    docs.mkdir(exist_ok=True)
    _rename_earlier(docs, documents, base.version)
    for name, text in documents.items():
        (docs / name).write_text(text, encoding="utf-8")
    _note_in_readme(docs / "README.md", version, change)
    say_that_it_travels(target)


def write_class_names(root: Path, class_names: Sequence[str]) -> None:
    """Write the classes into a bundle's metadata, in the order of the network's outputs; configs read them there.

    Metadata that name these classes, and a folder without any, are left as they are.
    """
    path = root / METADATA
    if not path.is_file():
        return
    metadata = BundleInfo.read(root).metadata
    changed = _with_classes(metadata, class_names)
    if changed != metadata:
        write_json(path, changed)


def _with_classes(metadata: Mapping[str, Any], class_names: Sequence[str] | None) -> dict[str, Any]:
    """Return the metadata with these classes as output channels."""
    content: dict[str, Any] = json.loads(json.dumps(metadata))
    pred = content.get("network_data_format", {}).get("outputs", {}).get("pred")
    if pred is not None and class_names:
        pred["num_channels"] = len(class_names)
        pred["channel_def"] = {str(number): name for number, name in enumerate(class_names)}
    return content


def _with_settings(config: str, settings: Mapping[str, Any]) -> str:
    """Return a config in which settings on a line of their own have these values.

    Values are replaced in the text, which keeps comments and order; JSON is YAML. `a::b` is the line of `b` within a
    section, two blanks deeper. The classes stay: configs of this
    package read them from the metadata.
    """
    for key, value in settings.items():
        if key != "class_names":
            *sections, name = key.split("::")
            name = "  " * len(sections) + name
            # `re.sub` would interpret a backslash in the replacement.
            line = f"{name}: {json.dumps(value)}".replace("\\", "\\\\")
            config = re.sub(rf"(?m)^{re.escape(name)}: [^@$\n]*$", line, config)
    return config


def _rename_earlier(docs: Path, names: Iterable[str], version: str) -> None:
    """Give documents of the last revision its version in their names, in the links of the README as well."""
    readme = docs / "README.md"
    for name in map(Path, names):
        if not (docs / name).is_file():
            continue
        kept = f"{name.stem}-{version}{name.suffix}"
        (docs / name).replace(docs / kept)
        if readme.is_file():
            line = rf"(?m)^(- \*\*{re.escape(version)}\*\*: .*)\[{re.escape(str(name))}\]\({re.escape(str(name))}\)"
            text = re.sub(line, rf"\g<1>[{kept}]({kept})", readme.read_text(encoding="utf-8"))
            readme.write_text(text, encoding="utf-8")


def _note_in_readme(path: Path, version: str, change: str) -> None:
    """Note the revision in the bundle's README, newest first."""
    heading = "## Revisions"
    note = "Data and performance stated above are those of the version they were written for.\n"
    text = path.read_text(encoding="utf-8") if path.is_file() else "# Bundle\n"
    entry = f"- **{version}**: {change} See [model_card_diff.md](model_card_diff.md)."
    if heading in text:
        text = text.replace(f"{heading}\n\n{note}\n", f"{heading}\n\n{note}\n{entry}\n", 1)
    else:
        text = f"{text.rstrip()}\n\n{heading}\n\n{note}\n{entry}\n"
    path.write_text(text, encoding="utf-8")
