"""`monai-unlearn sign`: the signature of a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monai_unlearn.cli.command import AsJson, Command, emit
from monai_unlearn.cli.store_options import Who, Why  # noqa: TC001 - Typer evaluates the annotations
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

_HELP = (
    "Sign a bundle: every file in it, by OpenSSF model-signing, offline, with a key of your own.\n\n"
    "First the bundle is held against what it says of itself; a file that was changed since is refused. Files that "
    "were added, such as an export, become part of the release and are named. SHA256SUMS is written anew, and the "
    "signature is written beside the bundle, as BUNDLE.sig.\n\n"
    "A single file, such as a list of withdrawals for `monai-unlearn watch`, is signed as it is, with its name: "
    "FILE.sig.\n\n"
    "Exit codes: 0 signed. 2 no bundle, no key, or a bundle that was changed; nothing was signed."
)

Key = Annotated[
    Path,
    typer.Option("--key", metavar="FILE", help="Your private key: PEM, elliptic curve P-256, P-384 or P-521."),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="A file with the password of the key, if it has one."),
]
Signature = Annotated[
    Path | None,
    typer.Option("--signature", metavar="FILE", help="The signature; by default BUNDLE.sig beside the bundle."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = "Example: monai-unlearn sign revision/revised_bundle --key signing.pem"
    app.command("sign", cls=Command, help=_HELP, epilog=epilog)(sign)


def sign(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder of the bundle, or a file.")],
    *,
    key: Key,
    password_file: PasswordFile = None,
    signature: Signature = None,
    store: Annotated[
        Path | None,
        typer.Option("--store", metavar="DIR", help="Note it in the ledger of this store; its head joins the release."),
    ] = None,
    who: Who = None,
    why: Why = None,
    as_json: AsJson = False,
) -> None:
    """Sign a bundle."""
    from monai_unlearn.release.promote import act_of
    from monai_unlearn.release.sign import sign as sign_bundle
    from monai_unlearn.release.sign import sign_file
    from monai_unlearn.release.signature import read_password

    password = read_password(password_file)
    if bundle.is_file():
        written = sign_file(bundle, key, signature=signature, password=password)
        emit({"signature": str(written)}, as_json=as_json, render=lambda: say(f"Signed {bundle}: {written}"))
        return
    act = act_of(store, key, password=password, who=who, why=why) if store else None
    done = sign_bundle(bundle, key, signature=signature, password=password, act=act).to_dict()
    emit(done, as_json=as_json, render=lambda: _show(done))


def _show(done: Mapping[str, Any]) -> None:
    say(f"Signed {done['name']} {done['version']}: {done['signature']}")
    say(*(f"  {name}: {digest}" for name, digest in done["digests"].items()))
    if done["added"]:
        say(f"New in the release, which no run wrote: {', '.join(done['added'])}")
