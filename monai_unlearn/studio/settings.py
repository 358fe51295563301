"""What a studio is given: folders, and where it listens."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from monai_unlearn.studio.demo.folder import DemoFolder

LOOPBACK = "127.0.0.1"
PORT = 8477
WORK = Path("studio")
# A host as browsers name it: what ends TLS for the whole world has a name and the standard port.
_PUBLIC = re.compile(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)+")


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
        demo: The folder of the demo; None for a studio on somebody's own folders.
        behind_proxy: The public address of a demo for everybody, where a proxy ends TLS; None for all others.

    Raises:
        ConfigError: It would listen beyond this machine without TLS, half of what TLS needs is missing, or something
            else than a demo would be public.
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
    demo: DemoFolder | None = None
    behind_proxy: str | None = None

    def __post_init__(self) -> None:
        if self.behind_proxy is not None:
            self._check_public()
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigError("--tls-cert and --tls-key belong together: give both files, or neither.")
        if not _is_loopback(self.host) and self.tls_cert is None and self.behind_proxy is None:
            raise ConfigError(
                f"--host {self.host}: others on the network could read what is shown. Give --tls-cert FILE and "
                f"--tls-key FILE as well, or leave --host out: the studio is then open on this machine only."
            )
        for path in (self.tls_cert, self.tls_key):
            if path is not None and not path.is_file():
                raise ConfigError(f"{path}: expected a file in PEM, found none.")

    def _check_public(self) -> None:
        if self.demo is None:
            raise ConfigError(
                "--behind-proxy opens a studio to everybody, without a link of their own, so it is for the demo alone: "
                "give --demo as well, or leave it out."
            )
        if self.tls_cert is not None:
            raise ConfigError("--behind-proxy: the proxy ends TLS; leave out --tls-cert and --tls-key.")
        if not _PUBLIC.fullmatch(str(self.behind_proxy)):
            raise ConfigError(
                "--behind-proxy: expected the public address, such as https://someone-studio.hf.space, in small "
                "letters and without a path, got something else."
            )

    @property
    def scheme(self) -> str:
        """`https` with TLS, else `http`."""
        return "http" if self.tls_cert is None else "https"

    def origins(self, port: int) -> list[str]:
        """Return the origins by which the studio is known, the printed one first.

        Args:
            port: The port that it listens on.
        """
        if self.behind_proxy is not None:
            return [self.behind_proxy]
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
