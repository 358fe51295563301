"""Starts a studio: listens, prints the link, and serves until it is ended."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.locks import locked
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

    from monai_unlearn.studio.settings import Settings

_MISSING = "the studio needs packages that are not installed: pip install 'monai-unlearn[studio]'"
_SECONDS_TO_END = 2
_PUBLIC = ".public"
_IS_PUBLIC = "this demo is public already, by another process. End that one, or name another folder."


def serve(settings: Settings) -> None:
    """Serve a studio until it is interrupted.

    Raises:
        ConfigError: The extra `studio` is not installed, the port is taken, or the demo is public already.
        IndexReadError: The index cannot be opened.
        InputError: The studio's folder cannot be written.
    """
    try:
        import uvicorn

        from monai_unlearn.studio.keys import remove_stale
    except ImportError:
        raise ConfigError(_MISSING) from None
    remove_stale()
    with _opened(settings) as opened:
        config = uvicorn.Config(
            opened.app,
            # The link holds the token: requests are not logged.
            access_log=False,
            log_level="warning",
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_SECONDS_TO_END,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
        )
        say(*opened.said)
        uvicorn.Server(config).run(sockets=[opened.listener])


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """What is served.

    Attributes:
        app: The application.
        listener: Where it listens.
        said: What the terminal says of it.
    """

    app: ASGIApp
    listener: socket.socket
    said: tuple[str, ...]


@contextmanager
def _opened(settings: Settings) -> Iterator[_Opened]:
    """Open a studio for whoever has its link, or a demo for everybody."""
    if settings.behind_proxy is None or settings.demo is None:
        yield _own(settings)
        return
    from monai_unlearn.studio.demo.public import PublicDemo
    from monai_unlearn.studio.demo.visitors import Visitors

    with locked(settings.demo.root / _PUBLIC, refusal=ConfigError(_IS_PUBLIC)):
        visitors = Visitors(settings)
        app, listener = PublicDemo(visitors, settings.behind_proxy), listen(settings.host, settings.port)
        said = (
            f"The demo is open to everybody: {settings.behind_proxy}/ (port {listener.getsockname()[1]} here).",
            "Ctrl+C ends it, and deletes what visitors did.",
        )
        # As Ctrl+C: a container that is stopped deletes what visitors did, too.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            yield _Opened(app=app, listener=listener, said=said)
        finally:
            signal.signal(signal.SIGTERM, before)
            visitors.delete()


def _own(settings: Settings) -> _Opened:
    from monai_unlearn.studio.app import build_app
    from monai_unlearn.studio.studio import Studio

    studio = Studio(settings)
    studio.workspace.prepare()
    if studio.index is not None:
        say(f"Index: {studio.index.images:,} images.")
    listener = listen(settings.host, settings.port)
    origins = settings.origins(listener.getsockname()[1])
    said = (
        f"The studio is open. Its link is for you alone: {origins[0]}/?token={studio.session.token}",
        "Ctrl+C ends it; what was saved, and a revision that runs, stay.",
    )
    return _Opened(app=build_app(studio, origins), listener=listener, said=said)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ConfigError: The port is taken, or the host is not this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"--host {host} --port {port}: cannot listen there ({error.strerror}). Name another port."
        ) from None
    return listener
