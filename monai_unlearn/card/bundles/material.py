"""Which changes between two bundles are material: those after which somebody must look again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from monai_unlearn.card.bundles.preprocessing import preprocessing_of
from monai_unlearn.card.wording import subset_words, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]
    Found = Iterator[tuple["Kind", str]]

Kind = Literal["weights", "classes", "preprocessing", "verdict", "endpoint"]


def material(old: Document, new: Document) -> list[dict[str, str]]:
    """Return the material changes, each with its `kind`, a `Kind`, and a `text`.

    Args:
        old: What `read_bundle` says of the bundle before.
        new: The same of the bundle after.
    """
    found = [*_weights(old, new), *_classes(old, new), *_preprocessing(old, new), *_verdict(old, new), *_endpoints(new)]
    return [{"kind": kind, "text": text} for kind, text in found]


def _weights(old: Document, new: Document) -> Found:
    before, after = old["weights"], new["weights"]
    for path in sorted({*before, *after}):
        if path not in before:
            yield "weights", f"{path} was added."
        elif path not in after:
            yield "weights", f"{path} is gone."
        elif before[path]["sha256"] != after[path]["sha256"]:
            yield "weights", f"{path} is another file."
    for path in sorted({*old["downloads"], *new["downloads"]}):
        if path not in {**before, **after} and old["downloads"].get(path) != new["downloads"].get(path):
            yield "weights", f"{path}, which is downloaded, is another file, or comes from elsewhere."


def _classes(old: Document, new: Document) -> Found:
    for name in sorted({*old["labels"], *new["labels"]}):
        if old["labels"].get(name) != new["labels"].get(name):
            yield "classes", f"The classes of the output {name} are others, or in another order."


def _preprocessing(old: Document, new: Document) -> Found:
    if _inputs(old) != _inputs(new):
        yield "preprocessing", "The format of the inputs in metadata.json is another one."
    for name in sorted({*old["configs"], *new["configs"]}):
        before, after = (preprocessing_of(one["configs"].get(name)) for one in (old, new))
        if changed := [key for key in {**before, **after} if before.get(key) != after.get(key)]:
            yield "preprocessing", f"{name}: {', '.join(changed)} changed."
        elif _unreadable(old["configs"].get(name)) != _unreadable(new["configs"].get(name)):
            yield "preprocessing", f"{name} changed, and cannot be read as plain data: what it changes is not known."


def _inputs(one: Document) -> object:
    formats = one["metadata"].get("network_data_format")
    return formats.get("inputs") if isinstance(formats, dict) else None


def _unreadable(config: object) -> str | None:
    return config.get("sha256") if isinstance(config, dict) and "unreadable" in config else None


def _verdict(old: Document, new: Document) -> Found:
    before, after = (one["verdict"] and one["verdict"]["verdict"] for one in (old, new))
    if before != after:
        yield "verdict", f"The verdict was {words(str(before or 'none'))} and is {words(str(after or 'none'))}."


def _endpoints(new: Document) -> Found:
    for one in new["verdict"]["beyond"] if new["verdict"] else ():
        subset, name = subset_words(str(one.get("subset"))), words(str(one.get("class")))
        yield "endpoint", f"{words(str(one.get('measure')))} on {subset}, class {name}, is beyond its margin."
