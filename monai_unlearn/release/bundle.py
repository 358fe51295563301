"""The revised successor of a bundle, and the classes in its metadata."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.release.bundle_info import BundleInfo
from monai_unlearn.release.config_text import with_settings
from monai_unlearn.release.contents import TRAINING_RECORD, WEIGHTS, left_behind
from monai_unlearn.release.downloads import remove_downloads
from monai_unlearn.release.sums import update_sums
from monai_unlearn.release.travels import say_that_it_travels
from monai_unlearn.release.weights import save_weights, weights_digest
from monai_unlearn.staging import write_json, write_text
from monai_unlearn.vocabulary.bundle_files import METADATA, config_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import nn

# Keys of a training record that name images, or files that stay where the images are.
_OF_IMAGES = ("members", "snapshots")


def write_revised_bundle(
    base: BundleInfo,
    target: Path,
    *,
    network: nn.Module,
    record: Mapping[str, Any],
    settings: Mapping[str, Any],
    change: str,
    documents: Mapping[str, str],
    weights_keys: Sequence[str] = (),
) -> None:
    """Write a whole bundle with new weights, version, changelog entry and documents.

    `contents.py` says what belongs to a bundle and is copied. What would download the weights of the base is taken out;
    `download_warnings` names it for the card. `SHA256SUMS` comes last, from the caller, who may add files.

    Args:
        base: The bundle to revise.
        target: A folder that does not exist.
        network: The revised network.
        record: The training record of the revised weights, which gets their digest; empty if there is none.
        settings: The classes, image size, normalisation and split of the run, and which classes mean no disease; they
            replace those in the configs and the metadata of the base.
        change: The changelog entry, one line.
        documents: Texts to add to `docs/`, by file name. Those of the revision before are kept, with the version that
            they are about in their name.
        weights_keys: The keys under which the bundle's own loader looks for the weights in their file, if any.
    """
    shutil.copytree(base.root, target, ignore=left_behind(base.root))
    version = base.next_version
    changelog = {version: change, **base.metadata.get("changelog", {})}
    metadata = _with_classes(base.metadata, settings.get("class_names"))
    write_json(target / METADATA, {**metadata, "version": version, "changelog": changelog})
    for config in config_files(target):
        write_text(config, with_settings(config, settings))
    remove_downloads(target)
    save_weights(network, target / WEIGHTS, weights_keys)
    if record:
        kept = {key: value for key, value in record.items() if key not in _OF_IMAGES}
        write_json(target / TRAINING_RECORD, {**kept, "weights_digest": weights_digest(network.state_dict())})
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
        update_sums(root, [METADATA.as_posix()])


def _with_classes(metadata: Mapping[str, Any], class_names: Sequence[str] | None) -> dict[str, Any]:
    """Return the metadata with these classes as output channels."""
    content: dict[str, Any] = json.loads(json.dumps(metadata))
    pred = content.get("network_data_format", {}).get("outputs", {}).get("pred")
    if pred is not None and class_names:
        pred["num_channels"] = len(class_names)
        pred["channel_def"] = {str(number): name for number, name in enumerate(class_names)}
    return content


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
