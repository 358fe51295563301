"""How a DICOMweb server is reached: its address, and what proves who asks.

Secrets come from the environment or from files that it names, never from a command line, which other users of the
machine can read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monai_unlearn.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Mapping

# A variable with one of these names, or with _FILE after it the file that holds the value.
TOKEN, USER, PASSWORD = "MONAI_UNLEARN_PACS_TOKEN", "MONAI_UNLEARN_PACS_USER", "MONAI_UNLEARN_PACS_PASSWORD"
# Files in PEM format: the authorities that sign the server's certificate, and the client's own certificate and key.
CA, CERTIFICATE, KEY = "MONAI_UNLEARN_PACS_CA", "MONAI_UNLEARN_PACS_CERT", "MONAI_UNLEARN_PACS_KEY"
# The names of this machine, to which nothing is encrypted, and no proxy asked.
LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))


@dataclass(frozen=True, kw_only=True)
class Access:
    """How a DICOMweb server is reached.

    Attributes:
        url: The root of its DICOMweb services, such as `https://pacs/dicom-web`.
        token: A bearer token.
        user: The user of basic authentication.
        password: That user's password.
        authorities: The certificates that sign the server's own; null for those that the system trusts.
        certificate: The certificate of this client, for mutual TLS.
        key: The private key of that certificate; null if the certificate's file has it too.
        timeout: How long an answer may take to continue, in seconds.
        attempts: How often a request is sent that fails for a reason which may pass.
        wait: The first wait between attempts, in seconds; it doubles each time, with jitter.
        connections: How many requests are under way at once.
        most_json: The longest JSON document that is read, in bytes, decompressed.
        most_content: The longest other answer, such as the file of an image.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = field(default=None, repr=False)
    timeout: float = 60.0
    attempts: int = 6
    wait: float = 0.5
    connections: int = 8
    most_json: int = 256 << 20
    most_content: int = 1 << 30

    def __post_init__(self) -> None:
        """Check the address, and that no secret travels in plain sight."""
        parts = urlsplit(self.url)
        if parts.username is not None or parts.password is not None:
            raise ArchiveError(
                f"{self.server}: the address has a user or password in it, which others can read. Leave them out, and "
                f"set {USER} and {PASSWORD}_FILE."
            )
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ArchiveError(
                f"--dicomweb: expected the root of DICOMweb services, such as https://pacs/dicom-web, got "
                f"'{parts.scheme or 'no scheme'}' as its scheme, or a query."
            )
        if self.has_secret and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ArchiveError(
                f"{self.server}: a token or password would travel unencrypted. Use the https address of the server."
            )
        if self.token is not None and self.user is not None:
            raise ArchiveError(f"{TOKEN} and {USER}: a request proves itself in one way. Set one of them.")
        if (self.user is None) != (self.password is None):
            raise ArchiveError(f"{USER} and {PASSWORD}: expected both or neither.")
        object.__setattr__(self, "url", self.url.rstrip("/"))

    @property
    def server(self) -> str:
        """The name of the server for messages: its host and port, and nothing that may be secret."""
        parts = urlsplit(self.url)
        return parts.netloc.rpartition("@")[2] or "the address"

    @property
    def has_secret(self) -> bool:
        """Whether requests carry a token or a password."""
        return self.token is not None or self.password is not None

    @classmethod
    def of(cls, url: str, *, environment: Mapping[str, str] = os.environ, connections: int = 8) -> Access:
        """Take an address and the secrets of the environment.

        Args:
            url: The root of the DICOMweb services.
            environment: Where the variables of this module are looked for.
            connections: How many requests are under way at once.

        Raises:
            ArchiveError: The address is none, contains a secret or would reveal one, or a file cannot be read.
        """
        return cls(
            url=url,
            token=_secret(environment, TOKEN),
            user=environment.get(USER) or None,
            password=_secret(environment, PASSWORD),
            authorities=_file(environment, CA),
            certificate=_file(environment, CERTIFICATE),
            key=_file(environment, KEY),
            connections=connections,
        )


def _secret(environment: Mapping[str, str], name: str) -> str | None:
    path = _file(environment, f"{name}_FILE")
    if path is None:
        return environment.get(name) or None
    if environment.get(name):
        raise ArchiveError(f"{name} and {name}_FILE: expected one of them.")
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):
        raise ArchiveError(f"{name}_FILE: the file {path} cannot be read as text.") from None


def _file(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name)
    if not text:
        return None
    path = Path(text)
    if not path.is_file():
        raise ArchiveError(f"{name}: expected a file, but there is none at {path}.")
    return path
