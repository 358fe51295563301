"""A small HTTP server on loopback that answers as a test says, and a proxy before a real one that injects faults."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What the proxy can do to an answer.
FAULTS = ("cut", "503", "429", "truncate", "cap", "slow", "reset", "wrong")


@dataclass
class Reply:
    """An answer: its status, headers and content; `cut` closes the connection after half of it."""

    content: bytes = b"[]"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    reset: bool = False
    wait: float = 0.0


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it; `path` with its query."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes = b""


@dataclass
class SmallServer:
    """A running server.

    Attributes:
        url: Its root.
        asked: The requests so far.
    """

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def small_server(answer: Callable[[Asked], Reply], *, context=None) -> Iterator[SmallServer]:
    """Run a server that answers by a function.

    Args:
        answer: Returns the answer to a request.
        context: An `ssl.SSLContext` for HTTPS.
    """
    server = SmallServer("")

    httpd = _Server(("127.0.0.1", 0), _Handler)
    httpd.asked, httpd.answer = server.asked, answer
    if context is not None:
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    server.url = f"{'http' if context is None else 'https'}://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(length))
        self.server.asked.append(asked)
        self.reply(self.server.answer(asked))

    def reply(self, reply: Reply) -> None:
        time.sleep(reply.wait)
        if reply.reset:
            # Zero seconds to linger: the other side sees the connection reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        with suppress(OSError):
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/dicom+json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content[: len(reply.content) // 2] if reply.cut else reply.content)
        self.close_connection = self.close_connection or reply.cut

    def log_message(self, *_: object) -> None:
        pass


for method in ("GET", "POST", "PUT", "DELETE"):
    setattr(_Handler, f"do_{method}", _Handler.handle_any)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    asked: list[Asked]
    answer: Callable[[Asked], Reply]

    def handle_error(self, *_: object) -> None:
        pass  # a client that has gone


@dataclass
class FaultProxy:
    """Forwards requests to a server, and does something to some of the answers.

    Never twice in a row to the same request: a client that asks again comes through.

    Attributes:
        target: The address that requests are forwarded to.
        share: The share of requests that something is done to.
        kinds: What is done, of `FAULTS`.
        seed: Decides which.
        injected: How often each was done.
    """

    target: str
    share: float = 0.3
    kinds: tuple[str, ...] = FAULTS
    seed: int = 0
    injected: dict[str, int] = field(default_factory=dict)
    _hurt: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _own: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - faults, not secrets

    def __call__(self, asked: Asked) -> Reply:
        kind = self._choose(asked)
        if kind in ("503", "429"):
            return Reply(b"busy", int(kind), {"Retry-After": "0"})
        if kind == "reset":
            return Reply(reset=True)
        reply = self._forward(asked)
        reply.wait, reply.cut = (0.2 if kind == "slow" else 0.0), kind == "cut"
        if kind == "truncate":
            reply.content = reply.content[: len(reply.content) // 2]
        elif kind == "wrong":
            reply.content = b"<html>a login page</html>"
        elif kind == "cap" and reply.content.startswith(b"["):
            items = json.loads(reply.content)
            reply.content = json.dumps(items[: max(1, len(items) // 2)]).encode()
        return reply

    def _choose(self, asked: Asked) -> str | None:
        with self._lock:
            if asked.path in self._hurt:
                self._hurt.discard(asked.path)
                return None
            if self._random.random() >= self.share:
                return None
            self._hurt.add(asked.path)
            kind = self._random.choice(self.kinds)
            self.injected[kind] = self.injected.get(kind, 0) + 1
            return kind

    def _forward(self, asked: Asked) -> Reply:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
        headers = {name: value for name, value in asked.headers.items() if name in ("Accept", "Content-Type")}
        answer = self._own.session.request(
            asked.method, f"{self.target}{asked.path}", headers=headers, data=asked.content or None, timeout=60
        )
        kept = {name: value for name, value in answer.headers.items() if name in ("Content-Type", "Warning")}
        return Reply(answer.content, answer.status_code, kept)
