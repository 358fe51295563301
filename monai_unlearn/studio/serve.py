"""Starts a studio: listens, prints the link, and serves until it is ended."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError
from monai_unlearn.terminal import say

if TYPE_CHECKING:
    from monai_unlearn.studio.settings import Settings

_MISSING = "the studio needs packages that are not installed: pip install 'monai-unlearn[studio]'"
_SECONDS_TO_END = 2


def serve(settings: Settings) -> None:
    """Serve a studio until it is interrupted.

    Raises:
        ConfigError: The extra `studio` is not installed, or the port is taken.
        IndexReadError: The index cannot be opened.
        InputError: The studio's folder cannot be written.
    """
    try:
        import uvicorn

        from monai_unlearn.studio.app import build_app
        from monai_unlearn.studio.keys import remove_stale
        from monai_unlearn.studio.studio import Studio
    except ImportError:
        raise ConfigError(_MISSING) from None
    studio = Studio(settings)
    studio.workspace.prepare()
    remove_stale()
    if studio.index is not None:
        say(f"Index: {studio.index.images:,} images.")
    listener = listen(settings.host, settings.port)
    origins = settings.origins(listener.getsockname()[1])
    config = uvicorn.Config(
        build_app(studio, origins),
        # The link holds the token: requests are not logged.
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SECONDS_TO_END,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    say(
        f"The studio is open. Its link is for you alone: {origins[0]}/?token={studio.session.token}",
        "Ctrl+C ends it; what was saved, and a revision that runs, stay.",
    )
    uvicorn.Server(config).run(sockets=[listener])


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
