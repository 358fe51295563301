"""What stands before every page: who may ask, from where, and how much; and the headers that every answer has."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from monai_unlearn.studio.session import same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from monai_unlearn.studio.session import Session

MAX_BODY = 2 * 1024 * 1024
"""Bytes of a request: more than the largest spec or list that a form may bring."""
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # With `no-referrer`, browsers hide the origin of a form as well.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
SAFE = frozenset({"GET", "HEAD"})
_NO_COOKIE = "Open the studio by the link that its terminal shows.\n"
_TOO_LARGE = f"Expected at most {MAX_BODY // 1024} KiB, got more. Nothing was read.\n"


def headers_of(framed_by: str = "") -> dict[str, str]:
    """Return the headers of every answer.

    Args:
        framed_by: The one site that may show the pages within its own; empty for none.
    """
    if not framed_by:
        return HEADERS
    policy = POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {framed_by}")
    # The older header cannot name a site.
    others = {name: value for name, value in HEADERS.items() if name != "x-frame-options"}
    return {**others, "content-security-policy": policy}


def cookie_name(origins: Iterable[str]) -> str:
    """Return the name of the cookie: cookies do not keep ports apart."""
    return f"monai_unlearn_studio_{min(origin.rpartition(':')[2].strip('/') for origin in origins)}"


class TooLargeError(Exception):
    """A body went on beyond what it may have."""


class Guard:
    """Lets through who has the cookie, from a page of this studio; gives the cookie to who has the link.

    Args:
        app: What stands behind it.
        session: The secrets.
        origins: The origins of this studio, such as `http://127.0.0.1:8477`. A request by another name is refused: a
            name that leads to this machine could be anybody's.
        fault: What is answered where the application fails. The error itself may hold identifiers, so it goes no
            further: the server would print it.
        framed_by: The one site that may show its pages within its own, as hosts of demos do; empty for none.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        session: Session,
        origins: frozenset[str],
        fault: Callable[[Scope, Exception], Response],
        framed_by: str = "",
    ) -> None:
        self._app, self._session, self._origins, self._fault = app, session, origins, fault
        self._hosts = frozenset(origin.partition("://")[2] for origin in origins)
        self._cookie = cookie_name(origins)
        self._secure = all(origin.startswith("https:") for origin in origins)
        self._headers = headers_of(framed_by)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http":  # no page opens a web socket
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        try:
            await (self._refusal(scope) or self._app)(scope, _bounded(receive), send_guarded)
        except TooLargeError:
            await PlainTextResponse(_TOO_LARGE, status_code=413)(scope, receive, send_guarded)
        except Exception as error:  # noqa: BLE001 - whatever it is, no more than its kind is told
            answer = self._fault(scope, error)
            if not is_begun:
                await answer(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return what is answered in place of the page, or None."""
        headers = Headers(scope=scope)
        if headers.get("host") not in self._hosts:
            return PlainTextResponse("This studio is not known by that name.\n", status_code=421)
        if scope["method"] in SAFE and (link := self._by_link(scope)) is not None:
            return link
        if not same(cookie_parser(headers.get("cookie", "")).get(self._cookie), self._session.cookie):
            return PlainTextResponse(_NO_COOKIE, status_code=403)
        if scope["method"] not in SAFE and not self._is_own(headers):
            return PlainTextResponse("This request does not come from a page of the studio.\n", status_code=403)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return PlainTextResponse(_TOO_LARGE, status_code=413)
        return None

    def _is_own(self, headers: Headers) -> bool:
        """Whether a page of this studio sent it; browsers say so, and only they are led astray."""
        return headers.get("origin") in self._origins and headers.get("sec-fetch-site", "same-origin") == "same-origin"

    def _by_link(self, scope: Scope) -> Response | None:
        """Exchange the token of the printed link for the cookie."""
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if scope["path"] != "/" or tokens is None:
            return None
        if not same(tokens[0], self._session.token):
            return PlainTextResponse(_NO_COOKIE, status_code=403)
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(
            self._cookie, self._session.cookie, httponly=True, samesite="strict", secure=self._secure, path="/"
        )
        return response


def _bounded(receive: Receive) -> Receive:
    """Count a body that does not say how long it is."""
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MAX_BODY:
            raise TooLargeError
        return message

    return counted
