"""`monai-unlearn promote`, `reject` and `rollback`: what is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.cli.sign import Key, PasswordFile, Signature  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.cli.store_options import StoreFolder, Who, Why  # noqa: TC001 - as above
from monai_unlearn.cli.verify import PublicKey  # noqa: TC001 - as above
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from monai_unlearn.release.ledger import Line
    from monai_unlearn.release.promote import Act

_PROMOTE = (
    "Deploy a bundle: copy it into a store and let its link `current` lead there.\n\n"
    "Only a bundle that is verified, signed with --public-key (by default, the public half of --key) and accepted by "
    "its verdict is promoted. With --override --why TEXT any bundle is; the ledger keeps the reason and what spoke "
    "against it. The copy is checked again before it is deployed.\n\n"
    "Exit codes: 0 deployed. 2 no bundle, no key, or a ledger that was tampered with. 3 not verified, not signed or "
    "not accepted; nothing was changed."
)
_REJECT = (
    "Note in the ledger that a bundle was turned down, and why. What is deployed stays.\n\n"
    "Exit codes: 0 noted. 2 no bundle, no key, or no reason."
)
_ROLLBACK = (
    "Deploy the version before the current one again.\n\n"
    "Exit codes: 0 deployed. 2 no earlier version, an earlier version whose files are not those that were promoted, or "
    "a ledger that was tampered with; nothing was changed."
)
_Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of the bundle.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    given = "--store deployed --key release.pem"
    promoted = f"Example: monai-unlearn promote revision/revised_bundle {given} --public-key signing.pub"
    app.command("promote", cls=Command, help=_PROMOTE, epilog=promoted)(promote)
    rejected = f"Example: monai-unlearn reject revision/revised_bundle {given} --why 'too many false negatives'"
    app.command("reject", cls=Command, help=_REJECT, epilog=rejected)(reject)
    app.command("rollback", cls=Command, help=_ROLLBACK, epilog=f"Example: monai-unlearn rollback {given}")(rollback)


def promote(  # noqa: PLR0913 - options of a command
    bundle: _Bundle,
    *,
    store: StoreFolder,
    key: Key,
    public_key: PublicKey = None,
    signature: Signature = None,
    override: Annotated[bool, typer.Option("--override", help="Promote it whatever speaks against it.")] = False,
    why: Why = None,
    who: Who = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Deploy a bundle."""
    from monai_unlearn.release.promote import promote as promote_bundle

    act = _act(store, key, password_file, who=who, why=why)
    line = promote_bundle(bundle, act, public_key=public_key, signature=signature, override=override)
    _emit(line, f"Deployed {line.event.name} {line.event.version}: {act.store.current}", as_json=as_json)


def reject(  # noqa: PLR0913 - options of a command
    bundle: _Bundle,
    *,
    store: StoreFolder,
    key: Key,
    public_key: PublicKey = None,
    signature: Signature = None,
    why: Why = None,
    who: Who = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Turn a bundle down."""
    from monai_unlearn.release.promote import reject as reject_bundle

    act = _act(store, key, password_file, who=who, why=why)
    line = reject_bundle(bundle, act, public_key=public_key, signature=signature)
    _emit(line, f"Rejected {line.event.name} {line.event.version}.", as_json=as_json)


def rollback(
    *,
    store: StoreFolder,
    key: Key,
    why: Why = None,
    who: Who = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Deploy the version before."""
    from monai_unlearn.release.promote import rollback as roll_back

    act = _act(store, key, password_file, who=who, why=why)
    line = roll_back(act)
    _emit(line, f"Deployed {line.event.name} {line.event.version} again: {act.store.current}", as_json=as_json)


def _act(store: Path, key: Path, password_file: Path | None, *, who: str | None, why: str | None) -> Act:
    from monai_unlearn.release.promote import act_of
    from monai_unlearn.release.signature import read_password

    return act_of(store, key, password=read_password(password_file), who=who, why=why)


def _emit(line: Line, said: str, *, as_json: bool) -> None:
    def show() -> None:
        say(said)
        if line.event.overridden:
            say("Against it, as the ledger notes:", *(f"  {one}" for one in line.event.overridden))
        say(f"Line {line.number} of the ledger, {line.hash}")

    emit(line.to_dict(), as_json=as_json, render=show)
