"""Deploys a release, turns one down, and restores the one before; the ledger has a line for each."""

from __future__ import annotations

import getpass
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import InputError, NotAccepted
from monai_unlearn.evaluation.decision.verdict import PROMOTING
from monai_unlearn.release.check_store import check_store
from monai_unlearn.release.forgotten import has_forgotten_all
from monai_unlearn.release.ledger import Event, LedgerKey
from monai_unlearn.release.ledger.ledger import MOVED_ON, MovedOnError
from monai_unlearn.release.store import Store, files_digest
from monai_unlearn.release.two_people import check_two_people
from monai_unlearn.release.verify import Kind, verify
from monai_unlearn.release.verify.chain import read_lineage
from monai_unlearn.vocabulary.run_folder import LINEAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.release.ledger import Line
    from monai_unlearn.release.verify import Report


DEPLOY = "deploy_revised"
"""What a card says of a revised bundle that may be deployed."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Somebody acts on a store.

    Args:
        store: The store.
        key: The private key that signs the line in the ledger.
        who: Who acts; by default the user of the system.
        why: The reason.
        after: The hash of the last line of the ledger when it was decided; None where nobody looked.
    """

    store: Store
    key: LedgerKey
    who: str | None = None
    why: str | None = None
    after: str | None = None

    def append(self, event: str, report: Report, **more: Any) -> Line:  # noqa: ANN401 - fields of `Event`
        """Append a line about a bundle."""
        weights = {"weights": report.weights_digest} if report.weights_digest else {}
        return self.store.ledger.append(
            Event(
                event=event,
                who=self.who or user(),
                name=report.name,
                version=report.version,
                digests={**weights, **more.pop("digests", {})},
                verdict=report.verdict,
                why=self.why,
                **more,
            ),
            self.key,
            after=self.after,
        )

    def check_seen(self) -> None:
        """Refuse to go on where something was done since it was decided, before anything is copied.

        Raises:
            MovedOnError: Another line is the last one now.
        """
        if self.after not in {None, self.store.ledger.head().hash}:
            raise MovedOnError(MOVED_ON)


def act_of(
    store: Path, key: Path, *, password: bytes | None = None, who: str | None = None, why: str | None = None
) -> Act:
    """Return an act on the store in a folder, with a key that is read from its file.

    Raises:
        InputError: The key cannot be used, or the extra `sign` is not installed.
    """
    return Act(store=Store(store), key=LedgerKey.read(key, password=password), who=who, why=why)


def promote(
    bundle: Path,
    act: Act,
    *,
    public_key: Path | None = None,
    signature: Path | None = None,
    override: bool = False,
    two_people: bool = False,
) -> Line:
    """Copy a release into the store and deploy it.

    Args:
        bundle: The bundle.
        act: Who promotes it, where.
        public_key: The key that it must be signed with; by default, the public half of the key that signs the line.
        signature: Its signature; by default, beside the bundle.
        override: Promote it whatever speaks against it; the ledger keeps what that was, and why.
        two_people: Whether somebody else, with another key, must have prepared it; see `check_two_people`.

    Returns:
        The line in the ledger.

    Raises:
        NotAccepted: The bundle is not verified, accepted and signed; nothing was changed.
        InputError: The folder is no bundle, a key cannot be used, the ledger was tampered with, a reason is missing,
            or the same person prepared it.
    """
    if override and not act.why:
        raise InputError("--override needs a reason, which the ledger keeps: --why TEXT")
    report = _verified(bundle, act, public_key, signature)
    _refuse(objections(report), override=override, bundle=bundle)
    with act.store.locked():
        _check_ledger(act)
        if two_people:
            check_two_people(bundle, act.store, approver=act.who or user(), key=act.key.fingerprint)
        place = act.store.keep(bundle, name=report.name, version=report.version, signature=signature)
        kept = act.store.bundle(place)
        # What is deployed is the copy, so that is what counts.
        report = _verified(kept, act, public_key)
        against = [*objections(report), *_brings_back(act.store, kept, report.name, written=bundle)]
        _refuse(against, override=override, bundle=kept)
        line = act.append(
            "promote", report, digests={"files": files_digest(kept)}, overridden=tuple(against), place=place
        )
        act.store.deploy(place)
    return line


def reject(bundle: Path, act: Act, *, public_key: Path | None = None, signature: Path | None = None) -> Line:
    """Note that a bundle was turned down. Nothing that is deployed changes.

    Args:
        bundle: The bundle.
        act: Who turns it down, where, and why.
        public_key: The key that it should be signed with; by default, the public half of the key that signs the line.
        signature: Its signature; by default, beside the bundle.

    Raises:
        InputError: The folder is no bundle, a key cannot be used, or a reason is missing.
    """
    if not act.why:
        raise InputError("a rejection needs a reason, which the ledger keeps: --why TEXT")
    report = _verified(bundle, act, public_key, signature)
    with act.store.locked():
        return act.append("reject", report, overridden=tuple(objections(report)))


def rollback(act: Act, *, public_key: Path | None = None) -> Line:
    """Deploy the version that was deployed before the current one. It may bring back what the current one forgot.

    The ledger keeps the reason, and what speaks against the version.

    Args:
        act: Who rolls back, where, and why.
        public_key: The key that the version should be signed with; by default, the public half of the key that signs
            the line.

    Raises:
        InputError: A reason is missing, there was none, the ledger was tampered with, or the files of that version are
            not those that were promoted.
    """
    if not act.why:
        raise InputError("a rollback needs a reason, which the ledger keeps: --why TEXT")
    with act.store.locked():
        _check_ledger(act)
        deployments = _deployments(act.store.ledger.lines())
        if len(deployments) < 2:  # noqa: PLR2004 - the current one and the one before
            raise InputError(
                f"{act.store.folder}: no version was deployed before the current one. Nothing was changed."
            )
        before = deployments[-2]
        place = str(before.event.place)
        kept = act.store.bundle(place)
        promised, found = before.event.digests.get("files"), files_digest(kept)
        if found != promised:
            raise InputError(
                f"{kept} is not what was promoted: its files have the digest {found}, line {before.number} of the "
                f"ledger says {promised}. Nothing was changed."
            )
        report = _verified(kept, act, public_key)
        against = (*objections(report), *_brings_back(act.store, kept, report.name))
        line = act.append("rollback", report, digests={"files": found}, overridden=against, place=place)
        act.store.deploy(place)
    return line


def rollback_target(store: Store) -> tuple[Report, list[str]] | None:
    """Return what a rollback would deploy, with what speaks against it; None where there is no version before.

    Raises:
        InputError: The store no longer has that version, or a line of the ledger is damaged.
    """
    deployments = _deployments(store.ledger.lines())
    if len(deployments) < 2:  # noqa: PLR2004 - as above
        return None
    kept = store.bundle(str(deployments[-2].event.place))
    report = verify(kept)
    return report, [*objections(report), *_brings_back(store, kept, report.name)]


def objections(report: Report) -> list[str]:
    """Return what speaks against deploying a bundle."""
    found = [fault.line for fault in report.faults]
    if report.verdict is None:
        found.append("no card says that its verdict was accepted.")
    elif report.verdict not in {one.value for one in PROMOTING}:
        found.append(f"its verdict is {report.verdict}, which is not accepted.")
    if report.advice not in {None, DEPLOY}:
        found.append(f"its card says: {str(report.advice).replace('_', ' ')}.")
    return found


def _brings_back(store: Store, bundle: Path, name: str, *, written: Path | None = None) -> list[str]:
    """Return what speaks against a bundle that knows less of what was forgotten than the deployed one of its name.

    Cohorts are compared by their specs; where one is missing, by their images, if the evidence of both is at hand.

    Args:
        store: The store.
        bundle: The bundle, as the store has it.
        name: Its name.
        written: The bundle where its run wrote it, beside its evidence; null where that is not known.
    """
    if not store.current.is_symlink() or not store.current.is_dir():
        return []
    deployed, candidate = (read_lineage(one)[0] for one in (store.current, bundle))
    if verify(store.current).name != name:
        return []
    if deployed is None:
        broken = (store.current / LINEAGE).is_file()
        return ["its lineage is broken: nothing says what the deployed bundle has forgotten."] if broken else []
    forgotten = {one.spec_digest for one in candidate.revisions} if candidate is not None else set()
    if {one.spec_digest for one in deployed.revisions} <= forgotten:
        return []
    if written is not None and candidate is not None and has_forgotten_all(written, candidate, deployed):
        return []
    return ["what is deployed has forgotten cohorts that this bundle has not: they would be back."]


def user() -> str:
    """Return the user of the system."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _verified(bundle: Path, act: Act, public_key: Path | None, signature: Path | None = None) -> Report:
    if public_key is not None:
        return verify(bundle, public_key=public_key, signature=signature)
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "the public half of --key"
        own.write_bytes(act.key.public_pem())
        return verify(bundle, public_key=own, signature=signature)


def _refuse(against: Sequence[str], *, override: bool, bundle: Path) -> None:
    if against and not override:
        lines = "\n  ".join(against)
        raise NotAccepted(
            f"{bundle} was not promoted: only a verified, accepted and signed bundle is.\n  {lines}\n"
            "Whoever answers for it can promote it nevertheless: --override --why TEXT"
        )


def _check_ledger(act: Act) -> None:
    """Refuse to build on a ledger that was tampered with. Lines of other keys are a matter of `ledger verify`."""
    act.check_seen()
    faults, _ = check_store(act.store, keys=[act.key])
    if wrong := [fault.line for fault in faults if fault.kind is Kind.TAMPERED]:
        lines = "\n  ".join(wrong)
        raise InputError(f"{act.store.ledger.path} was tampered with; nothing was changed:\n  {lines}")


def _deployments(lines: Sequence[Line]) -> list[Line]:
    """Return the promotions that led to what is deployed; a rollback takes the last one back."""
    stack: list[Line] = []
    for line in lines:
        if line.event.event == "promote":
            stack.append(line)
        elif line.event.event == "rollback" and stack:
            stack.pop()
    return stack
