"""Compares the cards of a bundle: each rendering with its JSON, the JSON with weights, metadata and lineage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from monai_unlearn.release.verify.figures import differing_figures, first_difference
from monai_unlearn.release.verify.report import tampered
from monai_unlearn.version import __version__
from monai_unlearn.vocabulary.bundle_files import DOCS, METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from monai_unlearn.release.verify.report import Fault

CARD = "model_card_diff"
JSON = f"{CARD}.json"


def read_card(root: Path, name: str = JSON) -> dict[str, Any] | None:
    """Return a card of a bundle as plain values; None where there is none.

    Raises:
        ValueError: The file is no JSON object.
    """
    path = root / DOCS / name
    if not path.is_file():
        return None
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(card, dict):
        raise ValueError("expected an object")  # noqa: TRY004 - what is wrong is the content of the file
    return card


def compare_renderings(root: Path) -> Iterator[Fault]:
    """Yield the renderings of a bundle's cards, earlier ones included, that are not what their JSON gives.

    Under the version of this package that wrote a card, renderings are compared byte for byte; under another, row by
    row through their figures.

    Args:
        root: The bundle.
    """
    for path in sorted((root / DOCS).glob(f"{CARD}*.json")):
        suffix = path.name.removeprefix(CARD).removesuffix(".json")
        yield from _compare(root, suffix)
    for path in sorted((root / DOCS).glob(f"{CARD}*")):
        canonical = path.with_suffix(".json")
        if not canonical.is_file():
            yield tampered(path.relative_to(root).as_posix(), f"has no {canonical.name} beside it that it renders.")


def _compare(root: Path, suffix: str) -> Iterator[Fault]:
    from monai_unlearn.card.renderers import RENDERERS

    name = f"{CARD}{suffix}.json"
    try:
        card = read_card(root, name) or {}
        rendered = {kind: render(card) for kind, render in RENDERERS.items()}
    # A renderer may fail in any way on JSON that is no card.
    except Exception as error:  # noqa: BLE001
        yield tampered(f"{DOCS}/{name}", f"cannot be read as a card ({type(error).__name__}).")
        return
    same_version = is_of_this_version(card)
    for kind, expected in rendered.items():
        path = root / DOCS / kind.replace(CARD, f"{CARD}{suffix}")
        if path.is_file():
            yield from _of_one(root, path, expected, same_version=same_version)
        elif same_version:
            yield tampered(path.relative_to(root).as_posix(), f"is missing; {name} is rendered as it, too.")


def _of_one(root: Path, path: Path, expected: str, *, same_version: bool) -> Iterator[Fault]:
    name = path.relative_to(root).as_posix()
    try:
        found = path.read_bytes().decode("utf-8")
    except ValueError:
        yield tampered(name, "is not text.")
        return
    if same_version and found != expected:
        yield tampered(name, f"is not what its JSON gives: {first_difference(found, expected)}.")
    elif not same_version:
        yield from (tampered(name, f"is not what its JSON gives: {one}.") for one in differing_figures(found, expected))


def compare_eval_metrics(card: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the figures in the `eval_metrics` of the metadata that are not those of the card.

    Args:
        card: The card.
        metadata: The metadata of the bundle.
    """
    from monai_unlearn.card.eval_metrics import eval_metrics

    try:
        wanted = eval_metrics(card)
    except (KeyError, TypeError, AttributeError):
        return  # no card: `compare_renderings` says so
    stated = metadata.get("eval_metrics")
    found = stated if isinstance(stated, dict) else {}
    # Another version of the package may list other metrics.
    names = {*wanted, *found} if is_of_this_version(card) else {*wanted} & {*found}
    for name in sorted(names):
        if found.get(name) != wanted.get(name):
            what = f"eval_metrics.{name} is {found.get(name)}; the card says {wanted.get(name)}."
            yield tampered(METADATA.as_posix(), what)


def is_of_this_version(card: Mapping[str, Any]) -> bool:
    """Return whether a card was written by the version of this package that is installed."""
    modification = card.get("modification")
    return isinstance(modification, dict) and modification.get("tool_version") == __version__


def compare_card(card: Mapping[str, Any], *, expected: Mapping[str, tuple[object, str]]) -> Iterator[Fault]:
    """Yield what a card says otherwise than the rest of the bundle.

    Args:
        card: The card.
        expected: What the rest of the bundle says, by the path of the value within the card (`revised.version`), with
            the name of what says so.
    """
    for where, (wanted, source) in expected.items():
        value: Any = card
        for key in where.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if wanted is not None and value != wanted:
            yield tampered(f"{DOCS}/{JSON}", f"{where} is {value}; {source} says {wanted}.")
