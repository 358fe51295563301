"""Which algorithm a DICOM report is of (PS3.16 TID 4019), read from DICOM JSON (PS3.18 annex F)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.pacs.items import INSTANCE, tag_of, text, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONTENT = tag_of("ContentSequence")
_CONCEPT, _CODE, _SCHEME = map(tag_of, ("ConceptNameCodeSequence", "CodeValue", "CodingSchemeDesignator"))
_TEXT = tag_of("TextValue")
_REFERENCED = tag_of("ReferencedSOPSequence")
_REFERENCED_INSTANCE = tag_of("ReferencedSOPInstanceUID")
# Of the scheme DCM.
_NAME, _PARAMETERS, _VERSION = "111001", "111002", "111003"
# Reports are nested five deep; nobody means a hundred.
_DEPTH = 100


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """An algorithm identification.

    Attributes:
        name: Algorithm Name.
        version: Algorithm Version.
        parameters: Algorithm Parameters, such as `weights sha256:…`.
    """

    name: str | None
    version: str
    parameters: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"name": self.name, "version": self.version, "parameters": list(self.parameters)}


def algorithms(report: Mapping[str, Any]) -> list[Algorithm]:
    """Return every algorithm identification of a report, each once."""
    found = [one for level in _levels(report) for one in _of(level)]
    return list(dict.fromkeys(found))


def images(report: Mapping[str, Any]) -> list[str]:
    """Return the SOPInstanceUIDs that the content of a report refers to, sorted."""
    items = [item for level in _levels(report) for item in level]
    found = {text(one, _REFERENCED_INSTANCE) for item in items for one in _items(item, _REFERENCED)}
    return sorted(uid for uid in found if uid is not None and uid != text(report, INSTANCE))


def _levels(item: Mapping[str, Any], depth: int = 0) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the content items of each level that stand side by side."""
    level = _items(item, CONTENT)
    if level and depth < _DEPTH:
        yield level
        for one in level:
            yield from _levels(one, depth + 1)


def _of(level: list[Mapping[str, Any]]) -> list[Algorithm]:
    """Return the algorithms of a level; of several, a version whose name is not certain has none."""
    said: list[tuple[str, str]] = []
    for item in level:
        concept = next(iter(_items(item, _CONCEPT)), {})
        value = text(item, _TEXT)
        if text(concept, _SCHEME) == "DCM" and value is not None:
            said.append((str(text(concept, _CODE)), value))
    names, versions, parameters = ([one for code, one in said if code == key] for key in (_NAME, _VERSION, _PARAMETERS))
    if len(names) <= 1 and len(versions) == 1:
        return [Algorithm(name=next(iter(names), None), version=versions[0], parameters=tuple(parameters))]
    order = [code for code, _ in said if code in {_NAME, _VERSION}]
    is_certain = order in ([_NAME, _VERSION] * len(versions), [_VERSION, _NAME] * len(versions))
    pairs = zip(names if is_certain else [None] * len(versions), versions, strict=True)
    return [Algorithm(name=name, version=version) for name, version in pairs]


def _items(item: Mapping[str, Any], tag: str) -> list[Mapping[str, Any]]:
    return [one for one in values(item, tag) if isinstance(one, dict)]
