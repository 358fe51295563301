"""A demo for everybody, behind a proxy that ends TLS: no link is needed, and each visitor sees their own studio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from monai_unlearn.studio.app import build_app
from monai_unlearn.studio.demo.visitors import FullError
from monai_unlearn.studio.guard import SAFE, cookie_name, headers_of

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from monai_unlearn.studio.demo.visitors import Visitor, Visitors
    from monai_unlearn.studio.session import Session

FRAMED_BY = "https://huggingface.co"
"""The site that shows Spaces within its own pages."""
_ASKED = "asked"
_NO_COOKIE = (
    '<!doctype html><html lang="en"><title>monai-unlearn studio</title><p>The demo needs a cookie, to keep visitors '
    "apart, and this browser keeps none here. "
    '<a href="/" target="_blank" rel="noopener">Open the demo in a tab of its own</a>.'
)
_GONE = "You have been away for long, and what you did here was deleted. Reload the page to begin anew.\n"
_BUSY = "A revision of another visitor runs; this machine is small. Go back, and try again in a minute.\n"
_STARTING = frozenset({"/revise/start", "/revise/resume", "/revise/estimate"})


class PublicDemo:
    """Leads each visitor to their own studio.

    Args:
        visitors: Those who are here.
        origin: The public address, such as `https://someone-studio.hf.space`.
    """

    def __init__(self, visitors: Visitors, origin: str) -> None:
        self._visitors, self._origin = visitors, origin
        self._host, self._cookie = origin.partition("://")[2], cookie_name([origin])
        self._headers = headers_of(FRAMED_BY)
        self._apps: dict[str, tuple[Visitor, ASGIApp]] = {}
        self._starting = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; no page opens a web socket."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        cookie = cookie_parser(headers.get("cookie", "")).get(self._cookie, "")
        if headers.get("host") != self._host:
            await self._plain("This demo is not known by that name.\n", 421)(scope, receive, send)
        elif not self._visitors.knows(cookie):
            await self._stranger(scope)(scope, receive, send)
        elif scope["path"] in _STARTING:
            async with self._starting:
                if await run_in_threadpool(self._visitors.is_another_busy, cookie):
                    await self._plain(_BUSY, 409)(scope, receive, send)
                else:
                    await self._lead(cookie, scope, receive, send)
        else:
            await self._lead(cookie, scope, receive, send)

    def _stranger(self, scope: Scope) -> Response:
        """Invite somebody without a cookie: they get one, and come back with it."""
        if scope["method"] not in SAFE:
            return self._plain(_GONE, 403)
        if _ASKED in QueryParams(scope["query_string"]):
            return HTMLResponse(_NO_COOKIE, status_code=403, headers=self._headers)
        session = self._visitors.invite()
        response = RedirectResponse(f"/?{_ASKED}=1", status_code=303, headers=self._headers)
        response.headers.append("set-cookie", self._set_cookie(session))
        return response

    def _set_cookie(self, session: Session) -> str:
        # The pages stand within another site's: a strict cookie would not come back from there, and one that is not
        # partitioned is blocked. Forms have a token and an origin besides.
        return f"{self._cookie}={session.cookie}; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"

    async def _lead(self, cookie: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            visitor = await run_in_threadpool(self._visitors.visitor, cookie)
        except KeyError:  # let go a moment ago
            await self._plain(_GONE, 403)(scope, receive, send)
        except FullError as error:
            await self._plain(f"{error}\n", 503)(scope, receive, send)
        else:
            await self._app(cookie, visitor)(scope, receive, send)

    def _app(self, cookie: str, visitor: Visitor) -> ASGIApp:
        known = self._apps.get(cookie)
        if known is None or known[0] is not visitor:
            self._apps = {key: one for key, one in self._apps.items() if self._visitors.knows(key)}
            known = self._apps[cookie] = (visitor, build_app(visitor.studio, [self._origin], framed_by=FRAMED_BY))
        return known[1]

    def _plain(self, text: str, status: int) -> Response:
        return PlainTextResponse(text, status_code=status, headers=self._headers)
