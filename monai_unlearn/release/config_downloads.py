"""Finds what in a config downloads weights.

Known forms: `pretrained: true`, weights by a word of torchvision such as `IMAGENET1K_V1`, an address of weights, a
component or an expression that calls a function which downloads.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.vocabulary.bundle_files import WEIGHT_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Id = tuple[str | int, ...]

DISABLED = "_disabled_"
_OF_WEIGHTS = re.compile(
    r"load_state_dict_from_url|model_zoo\.load_url|hub\.load|hf_hub_download|snapshot_download|from_pretrained"
    r"|bundle\.load\b|bundle\.download|download_large_files"
)
_OF_ANYTHING = re.compile(
    r"download_url|download_and_extract|extractall_from_url|urlretrieve|urlopen|gdown|wget|requests\.get"
)
_ADDRESS = re.compile(r"\b(https?|ftp|s3|gs|hf)://", re.IGNORECASE)
_WEIGHTS_FILE = re.compile(rf"({'|'.join(map(re.escape, WEIGHT_SUFFIXES))})(['\"?#&\s)]|$)", re.IGNORECASE)
_SAYS_WEIGHTS = re.compile(r"weight|ckpt|checkpoint|pretrain|state_dict|backbone|model", re.IGNORECASE)
_SAYS_DOWNLOAD = re.compile(r"download|url", re.IGNORECASE)
# A flag that loads weights from elsewhere; `load_pretrain` of the model zoo loads the bundle's own.
_FLAG = re.compile(r"^(?!load_).*(pretrained|imagenet_pretrain)", re.IGNORECASE)
_WORD = re.compile(r"default|imagenet.*|coco.*|\w+_v\d+|noisy-student|advprop|ssl|swsl|instagram", re.IGNORECASE)
_ARGUMENT = re.compile(r"\bpretrained\s*=\s*True\b")


@dataclass(frozen=True, kw_only=True)
class Found:
    """Something in a config that downloads, or may.

    Attributes:
        where: The keys and positions that lead to it.
        sentence: What it is and what becomes of it, for the card, beginning with its id.
    """

    where: Id
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Edit(Found):
    """Something that downloads weights, and what takes its place.

    Attributes:
        value: The new value at `where`.
    """

    value: Any


def find(config: Mapping[str, Any], *, elsewhere: Mapping[str, Any] | None = None) -> Iterator[Found]:
    """Yield what in a config downloads weights, or something that cannot be told from weights.

    Args:
        config: The config, as it is written.
        elsewhere: The other configs of the bundle: what their `pretrained` refers to counts here too.

    >>> [(one.where, one.value) for one in find({"network_def": {"_target_": "ResNet", "pretrained": True}})]
    [(('network_def', 'pretrained'), False)]
    """
    flags = {name for content in (config, *(elsewhere or {}).values()) for name in _referenced(content)}
    yield from _walk(config, (), flags)


def _walk(node: Any, where: Id, flags: set[str]) -> Iterator[Found]:  # noqa: ANN401 - any node of a config
    if isinstance(node, dict):
        whole = _component(node, where)
        if whole is not None:
            yield whole
            return
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        inner = (*where, key)
        name = re.split(r"#|::", str(key))[-1]
        found = _value(value, inner, name, is_flag=_is_flag(name, inner, flags))
        if found is not None:
            yield found
        else:
            yield from _walk(value, inner, flags)


def _is_flag(name: str, where: Id, flags: set[str]) -> bool:
    return bool(_FLAG.match(name)) or _id(where) in flags


def _component(node: Mapping[str, Any], where: Id) -> Found | None:
    """Return a component that downloads when it is built."""
    target = str(node.get("_target_", ""))
    if node.get(DISABLED) is True:
        return None
    if _OF_WEIGHTS.search(target) or (_OF_ANYTHING.search(target) and _names_weights(json.dumps(node, default=str))):
        sentence = f"{_id(where)}: {target} downloads weights, so the component was disabled."
        return Edit(where=(*where, DISABLED), value=True, sentence=sentence)
    if _OF_ANYTHING.search(target):
        return _unchanged(where)
    return None


def _value(value: object, where: Id, name: str, *, is_flag: bool) -> Found | None:
    """Return a single value that downloads."""
    if value is True and is_flag:
        return Edit(where=where, value=False, sentence=f"{_id(where)}: was true, which loads other weights; now false.")
    if value is True and name == "download":
        return _unchanged(where)
    if not isinstance(value, str):
        return None
    return _expression(value, where) if value.startswith("$") else _text(value, where, name)


def _text(value: str, where: Id, name: str) -> Found | None:
    if name.lower().endswith("weights") and _WORD.fullmatch(value.strip()):
        return _nulled(where, "named weights to download")
    if not _ADDRESS.match(value.strip()):
        return None
    if _SAYS_WEIGHTS.search(name) or _names_weights(value):
        return _nulled(where, "was the address of weights")
    return _unchanged(where) if _SAYS_DOWNLOAD.search(name) else None


def _expression(value: str, where: Id) -> Found | None:
    downloads = _OF_ANYTHING.search(value) or _ADDRESS.search(value)
    if _OF_WEIGHTS.search(value) or (downloads and _names_weights(value)):
        return _nulled(where, "was an expression that downloads weights")
    if _ARGUMENT.search(value):
        changed = _ARGUMENT.sub("pretrained=False", value)
        return Edit(where=where, value=changed, sentence=f"{_id(where)}: pretrained=True was changed to False.")
    return _unchanged(where) if downloads else None


def _names_weights(text: str) -> bool:
    return bool(_WEIGHTS_FILE.search(text))


def _nulled(where: Id, what: str) -> Edit:
    return Edit(where=where, value=None, sentence=f"{_id(where)}: {what}; now null.")


def _unchanged(where: Id) -> Found:
    sentence = f"{_id(where)}: downloads a file, which was left as it is. Make sure that it holds no weights."
    return Found(where=where, sentence=sentence)


def _referenced(node: object) -> Iterator[str]:
    """Yield the ids to which flags such as `pretrained: "@use_pretrained"` refer."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        name = re.split(r"#|::", str(key))[-1]
        if isinstance(value, str) and _FLAG.match(name) and value.startswith("@"):
            yield value[1:].replace("#", "::")
        yield from _referenced(value)


def _id(where: Id) -> str:
    return "::".join(map(str, where)).replace("#", "::")
