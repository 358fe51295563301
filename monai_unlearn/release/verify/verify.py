"""Checks a release against everything that it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.bundle_info import BundleInfo
from monai_unlearn.release.contents import SUMS, WEIGHTS
from monai_unlearn.release.signature import (
    DamagedSignature,
    SignatureFault,
    WrongKey,
    check_public_key,
    read_signature,
    signature_of,
)
from monai_unlearn.release.state_dict import file_weights_digest
from monai_unlearn.release.sums import read_sums
from monai_unlearn.release.verify.cards import JSON, compare_card, compare_eval_metrics, compare_renderings, read_card
from monai_unlearn.release.verify.chain import check_chain, read_lineage, read_record
from monai_unlearn.release.verify.evidence import compare_evidence
from monai_unlearn.release.verify.files import compare_files
from monai_unlearn.release.verify.report import Fault, Kind, Report, tampered
from monai_unlearn.vocabulary.bundle_files import DOCS, METADATA, is_weights

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monai_unlearn.cohort.lineage.document import Lineage


def verify(bundle: Path, *, public_key: Path | None = None, signature: Path | None = None) -> Report:
    """Check a bundle: signature, files, digests, cards, lineage. Nothing of it is executed.

    Args:
        bundle: The folder of the bundle.
        public_key: The key that its signature must be made with; without one, no signature can be checked.
        signature: The signature; by default, beside the bundle.

    Raises:
        InputError: The folder is no bundle, the key cannot be used, or the extra `sign` is not installed.
    """
    if public_key is not None:
        check_public_key(public_key)
    signature = signature or signature_of(bundle)
    info, faults = _metadata(bundle, is_release=signature.is_file() or (bundle / SUMS).is_file())
    found, warnings = _files(bundle, signature, public_key)
    faults += found
    weights, found = _weights(bundle)
    faults += found
    card, found = _card(bundle)
    lineage, broken = read_lineage(bundle)
    faults += [*found, *broken]
    version = info.version if info else ""
    if lineage is not None:
        faults += [*check_chain(lineage, version=version, weights=weights), *compare_evidence(bundle, lineage)]
        warnings += _untied(bundle)
    faults += compare_card(card or {}, expected=_expected(bundle, info, weights, lineage) if card else {})
    if lineage is not None and not (bundle / WEIGHTS).is_file():
        faults.append(tampered(WEIGHTS.as_posix(), "is missing, although the bundle was revised."))
    if card is None and lineage is not None and not found:
        faults.append(tampered(f"{DOCS}/{JSON}", "is missing, although the bundle was revised."))
    faults += compare_renderings(bundle)
    if card is not None and info is not None:
        faults += compare_eval_metrics(card, info.metadata)
    return Report(
        bundle=str(bundle),
        name=info.name if info else "",
        version=version,
        verdict=str(card["verdict"]) if card and "verdict" in card else None,
        advice=_advice(card),
        weights_digest=weights,
        faults=_without_repeats(faults),
        warnings=warnings,
    )


def _metadata(bundle: Path, *, is_release: bool) -> tuple[BundleInfo | None, list[Fault]]:
    """Return the metadata of a bundle; those of a release are damaged, those of another folder mean no bundle."""
    try:
        return BundleInfo.read(bundle), []
    except ConfigError:
        if not is_release or not bundle.is_dir():
            raise
        return None, [tampered(METADATA.as_posix(), "is missing, or no JSON with a version.")]


def _files(bundle: Path, signature: Path, public_key: Path | None) -> tuple[list[Fault], list[str]]:
    """Compare the files with the signature and, where that does not hold, with `SHA256SUMS`."""
    faults, digests = _signed(signature, public_key)
    if digests is not None:
        faults += compare_files(bundle, digests, source="the signature")
    try:
        sums = read_sums(bundle)
    except ConfigError as error:
        return [*faults, tampered(SUMS, str(error).removeprefix(str(bundle / SUMS)).lstrip(":, "))], []
    if sums is not None:
        faults += compare_files(bundle, sums, source=SUMS, beside=[SUMS])
        return faults, []
    if digests is not None:
        return faults, []
    return faults, [f"There is no {SUMS} and no signature that holds: nothing says which files the bundle had."]


def _signed(signature: Path, public_key: Path | None) -> tuple[list[Fault], Mapping[str, str] | None]:
    """Return what is wrong with the signature, and the digests that it covers where it holds."""
    if not signature.is_file():
        return [Fault(kind=Kind.UNSIGNED, file=signature.name, what="there is no signature.")], None
    if public_key is None:
        what = "was not checked: give the key that it must be made with, --public-key FILE."
        return [Fault(kind=Kind.WRONG_KEY, file=signature.name, what=what)], None
    try:
        return [], read_signature(signature, public_key).digests
    except WrongKey:
        what = f"was made with another key than {public_key.name}."
        return [Fault(kind=Kind.WRONG_KEY, file=signature.name, what=what)], None
    except DamagedSignature:
        return [tampered(signature.name, "is damaged: the signature does not fit what it signs.")], None
    except SignatureFault:  # the root of the two
        raise AssertionError from None


def _weights(bundle: Path) -> tuple[str | None, list[Fault]]:
    if not (bundle / WEIGHTS).is_file():
        return None, []
    try:
        return file_weights_digest(bundle / WEIGHTS), []
    except ConfigError as error:
        return None, [tampered(WEIGHTS.as_posix(), str(error).removeprefix(str(bundle / WEIGHTS)).strip())]


def _untied(bundle: Path) -> list[str]:
    """Return a warning for files of weights that no digest of card or lineage is about, such as exports."""
    found = (path for path in sorted(bundle.rglob("*")) if is_weights(path.relative_to(bundle)) and path.is_file())
    names = [path.relative_to(bundle).as_posix() for path in found]
    others = [name for name in names if name != WEIGHTS.as_posix()]
    if not others:
        return []
    line = (
        f"{', '.join(others)}: the lineage and the card are about {WEIGHTS.as_posix()} alone, so nothing says that "
        "these weights have forgotten anything. Export them again from it, or remove them."
    )
    return [line]


def _card(bundle: Path) -> tuple[dict[str, Any] | None, list[Fault]]:
    try:
        return read_card(bundle), []
    except (OSError, ValueError):
        return None, [tampered(f"{DOCS}/{JSON}", "is no JSON.")]


def _advice(card: Mapping[str, Any] | None) -> str | None:
    """Return what a card says to do; nobody may leave it out where the card has it."""
    found = card.get("advice") if card else None
    return str(found.get("action")) if isinstance(found, dict) else None


def _expected(
    bundle: Path, info: BundleInfo | None, weights: str | None, lineage: Lineage | None
) -> dict[str, tuple[object, str]]:
    """Return what the card must say, by its keys, and who says so."""
    expected: dict[str, tuple[object, str]] = {"revised.weights_digest": (weights, WEIGHTS.as_posix())}
    if info is not None:
        expected["revised.version"] = (info.version, METADATA.as_posix())
        expected["revised.name"] = (info.name, METADATA.as_posix())
    if lineage is not None:
        last = lineage.revisions[-1]
        expected |= {
            "base.version": (last.base_version, "lineage.json"),
            "base.weights_digest": (last.base_weights_digest, "lineage.json"),
            "modification.cohort.spec_digest": (last.spec_digest, "lineage.json"),
            "modification.cohort.manifest_digest": (last.manifest_digest, "lineage.json"),
            "modification.cohort.name": (last.cohort, "lineage.json"),
            "verdict": (last.verdict, "lineage.json"),
        }
    spec = read_record(bundle).get("spec_digest")
    return {**expected, **({} if lineage or not spec else {"modification.cohort.spec_digest": (spec, "training.json")})}


def _without_repeats(faults: list[Fault]) -> list[Fault]:
    """Return the faults without those that say of a file, from a second source, what is said already."""
    kept: dict[tuple[str, str], Fault] = {}
    for fault in faults:
        kept.setdefault((fault.file, fault.what.partition(";")[0]), fault)
    return list(kept.values())
