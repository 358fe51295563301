"""Configs of a bundle whose network becomes an ensemble of two, each defined as the one network was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.bundle_info import BundleInfo
from monai_unlearn.release.config_text import edited, parse, read_config
from monai_unlearn.staging import write_json, write_text
from monai_unlearn.version import __version__
from monai_unlearn.vocabulary.bundle_files import METADATA, config_files

if TYPE_CHECKING:
    from pathlib import Path

NETWORK_DEF = "network_def"
TARGET = "monai_unlearn.methods.LogitEnsemble"


def check_network_def(root: Path) -> None:
    """Refuse a bundle of which no config defines `network_def` as a component.

    Raises:
        ConfigError: None does.
    """
    if not any(_defines(read_config(path)) for path in config_files(root)):
        raise ConfigError(
            f"{root}: no config defines {NETWORK_DEF} with a _target_, so that none can name an ensemble. Compose by "
            "splice, linear or task_vectors."
        )


def write_as_ensemble(root: Path) -> None:
    """Let the configs of a bundle define an ensemble, and its metadata name the package that defines ensembles."""
    for path in config_files(root):
        write_text(path, as_ensemble(path))
    metadata = dict(BundleInfo.read(root).metadata)
    required = {**metadata.get("required_packages_version", {}), "monai-unlearn": __version__}
    write_json(root / METADATA, {**metadata, "required_packages_version": required})


def as_ensemble(path: Path) -> str:
    """Return the text of a config with an ensemble of two of its `network_def` in place of that one.

    A config without such a definition stays as it is. YAML keeps its comments outside of the definition.

    Args:
        path: The config.
    """
    text, content = path.read_text(encoding="utf-8"), read_config(path)
    if not _defines(content):
        return text
    own = content[NETWORK_DEF]
    ensemble = {"_target_": TARGET, "networks": [own, own]}
    if path.suffix.lower() != ".json":
        replaced = _replaced(text, ensemble)
        if _parsed(replaced) == {**content, NETWORK_DEF: ensemble}:
            return replaced
    return edited(path, {(NETWORK_DEF,): ensemble})


def _defines(content: Any) -> bool:  # noqa: ANN401 - any YAML or JSON
    own = content.get(NETWORK_DEF) if isinstance(content, dict) else None
    return isinstance(own, dict) and "_target_" in own


def _replaced(text: str, ensemble: dict[str, Any]) -> str:
    """Return YAML with another definition, from its key to the end of its last line."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        return text
    key, value = next(pair for pair in node.value if pair[0].value == NETWORK_DEF)
    before, inner = text[: key.start_mark.index], text[key.start_mark.index : value.end_mark.index]
    # What follows a block up to the next key is part of it: blank lines, and comments on the next one.
    kept = inner.splitlines(keepends=True)
    tail = 0
    while tail < len(kept) and (not kept[-1 - tail].strip() or kept[-1 - tail].lstrip().startswith("#")):
        tail += 1
    following = "".join(kept[len(kept) - tail :])
    return f"{before}{_dumped({NETWORK_DEF: ensemble})}{following}{text[value.end_mark.index :]}"


def _dumped(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)


class _Dumper(yaml.SafeDumper):
    """Writes equal parts twice: configs of MONAI have no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - PyYAML's signature
        return True


def _parsed(text: str) -> Any:  # noqa: ANN401 - any YAML
    try:
        return parse(text, is_json=False)
    except (ValueError, yaml.YAMLError):
        return None
