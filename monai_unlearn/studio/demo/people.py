"""The two people of the demo with their keys, and what happened before it begins."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.release.ledger import LedgerKey
from monai_unlearn.release.promote import act_of, promote
from monai_unlearn.release.record_run import record_run
from monai_unlearn.staging import staged_file
from monai_unlearn.studio.keys import KEY, PUBLIC_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.studio.demo.folder import DemoFolder

_MISSING = (
    "the demo signs releases, and needs packages that are not installed: pip install 'monai-unlearn[studio,sign]'"
)
_BEFORE = "in use since before the ledger began"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody of the demo.

    Attributes:
        name: Who it is.
        file: The name of the key's files, without what they end on.
    """

    name: str
    file: str

    def key(self, folder: DemoFolder) -> Path:
        """Return the private key."""
        return folder.keys / f"{self.file}.pem"

    def public_key(self, folder: DemoFolder) -> Path:
        """Return the public key."""
        return folder.keys / f"{self.file}.pub"


ADA = Person(name="Ada, who revises", file="ada")
GRACE = Person(name="Grace, who approves", file="grace")
PEOPLE = (ADA, GRACE)
PREPARING = frozenset({"unlearn", "sign"})
"""The acts on the Release page that are Ada's; the others are Grace's."""


def person_of(act: str) -> Person:
    """Return who does an act of the Release page."""
    return ADA if act in PREPARING else GRACE


def keys_of(folder: DemoFolder, act: str) -> dict[str, Path]:
    """Return the keys that the demo has for an act, by the names of a form's fields: Ada is who signs bundles."""
    return {KEY: person_of(act).key(folder), PUBLIC_KEY: ADA.public_key(folder)}


def public_keys(folder: DemoFolder | None) -> list[Path]:
    """Return the public keys of a demo, that of who signs bundles first; none where there is no demo."""
    return [] if folder is None else [person.public_key(folder) for person in PEOPLE]


def begin(folder: DemoFolder) -> None:
    """Make keys, and the ledger of a hospital that has used the bundle for some time; what is there already stays.

    Raises:
        ConfigError: The extra `sign` is not installed.
    """
    for person in PEOPLE:
        if not person.public_key(folder).exists():
            _write_keys(person, folder)
    acting = act_of(folder.store, GRACE.key(folder), who=GRACE.name, why=_BEFORE)
    if not any(line.event.event == "train" for line in acting.store.ledger.lines()):
        key = LedgerKey.read(ADA.key(folder))
        record_run("train", folder.bundle, store=folder.store, key=key, who=ADA.name, why="the first version")
    if acting.store.deployed is None:
        promote(folder.bundle, acting, override=True)


def check_installed() -> None:
    """Look for what the demo needs before anything is drawn or trained.

    Raises:
        ConfigError: An extra is not installed.
    """
    if any(find_spec(name) is None for name in ("cryptography", "model_signing", "multipart", "starlette", "uvicorn")):
        raise ConfigError(_MISSING)


def _write_keys(person: Person, folder: DemoFolder) -> None:
    """Write a new pair of keys, the private one for its owner alone; the public one last."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    folder.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with staged_file(person.key(folder)) as aside:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with staged_file(person.public_key(folder)) as aside:
        aside.write_bytes(public)
