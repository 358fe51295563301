"""What a studio is given: folders, and where it listens."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from monai_unlearn.errors import ConfigError

LOOPBACK = "127.0.0.1"
PORT = 8477
WORK = Path("studio")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a studio.

    Args:
        index: The image index; None for a studio without the Cohort page's numbers.
        bundle: The deployed bundle, or a folder that holds bundles and runs.
        store: The store of deployed versions.
        work: Where specs, drafts, frozen cohorts and runs are kept.
        trust: Whether the index's files are not compared with their digests.
        show_images: Whether the Cohort page shows some images of each part.
        host: Where it listens.
        port: The port; 0 for a free one.
        tls_cert: The certificate, in PEM.
        tls_key: Its private key, in PEM.

    Raises:
        ConfigError: It would listen beyond this machine without TLS, or half of what TLS needs is missing.
    """

    index: Path | None = None
    bundle: Path | None = None
    store: Path | None = None
    work: Path = WORK
    trust: bool = False
    show_images: bool = False
    host: str = LOOPBACK
    port: int = PORT
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigError("--tls-cert and --tls-key belong together: give both files, or neither.")
        if not _is_loopback(self.host) and self.tls_cert is None:
            raise ConfigError(
                f"--host {self.host}: others on the network could read what is shown. Give --tls-cert FILE and "
                f"--tls-key FILE as well, or leave --host out: the studio is then open on this machine only."
            )
        for path in (self.tls_cert, self.tls_key):
            if path is not None and not path.is_file():
                raise ConfigError(f"{path}: expected a file in PEM, found none.")

    @property
    def scheme(self) -> str:
        """`https` with TLS, else `http`."""
        return "http" if self.tls_cert is None else "https"

    def origins(self, port: int) -> list[str]:
        """Return the origins by which the studio is known, the printed one first.

        Args:
            port: The port that it listens on.
        """
        own = [] if _is_loopback(self.host) else [socket.getfqdn(), socket.gethostname()]
        named = [] if self.host in {"0.0.0.0", "::"} else [self.host]  # noqa: S104 - compared, not listened on
        names = [_in_url(name) for name in (*named, *own, LOOPBACK, "localhost", "::1")]
        standard = {"http": 80, "https": 443}[self.scheme]
        suffix = "" if port == standard else f":{port}"
        return list(dict.fromkeys(f"{self.scheme}://{name}{suffix}" for name in names))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()
