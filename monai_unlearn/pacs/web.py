"""Requests to an HTTP server of images: whole answers or an error that names server and request."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.access import CA, LOOPBACK, TOKEN, USER
from monai_unlearn.pacs.retry import PASSING, PassingFault, patiently
from monai_unlearn.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monai_unlearn.pacs.access import Access

JSON = "application/dicom+json"
_NO_CONTENT = 204
# Of a compressed answer, so much is decompressed at once; what that gives is bounded, too.
_CHUNK = 1 << 16
_UNAUTHORISED = frozenset((401, 403))
_PASSING_ERRORS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


@dataclass(frozen=True)
class Answer:
    """A whole answer.

    Attributes:
        status: The HTTP status, 2xx.
        headers: The headers; their names in any case.
        content: The content, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


class Web:
    """Sends requests, again where a fault may pass, and counts the bytes of the answers.

    It may be used by several threads at once.

    Attributes:
        access: How the server is reached.
        received: The bytes of all answers so far, as they came over the network.
        requests: How many requests were sent.

    Args:
        access: How the server is reached.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self.received = self.requests = 0
        self._session = session = requests.Session()
        # Otherwise every request would look for proxies and credentials again, and .netrc could replace a token.
        session.trust_env = False
        # A proxy would see what is sent unencrypted to this machine.
        is_here = urlsplit(access.url).hostname in LOOPBACK
        session.proxies = {} if is_here else dict(get_environ_proxies(access.url))
        session.headers["User-Agent"] = f"monai-unlearn/{__version__}"
        if access.token is not None:
            session.headers["Authorization"] = f"Bearer {access.token}"
        elif access.user is not None:
            session.auth = (access.user, access.password or "")
        session.verify = True if access.authorities is None else str(access.authorities)
        if access.certificate is not None:
            own, key = str(access.certificate), access.key
            session.cert = own if key is None else (own, str(key))
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=access.connections, pool_block=True)
        session.mount("http://", adapter)
        session.mount("https://", adapter)

    @property
    def session(self) -> requests.Session:
        """The session, for a `dicomweb_client.DICOMwebClient`: `DICOMwebClient(access.url, session=…)`."""
        return self._session

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def json(
        self,
        path: str,
        *,
        name: str,
        query: Sequence[tuple[str, str]] = (),
        check: Callable[[Any], str | None] | None = None,
    ) -> tuple[Any, Answer]:
        """Get a JSON document.

        Args:
            path: The path below the root, such as `studies`; with a scheme, a whole address of the same server.
            name: The request as messages name it: without identifiers.
            query: The parameters.
            check: Returns what is wrong with the document, so that it is asked for again; null if it is good.

        Returns:
            The document, an empty list where the server has nothing, and the answer that it came in.

        Raises:
            ArchiveError: The server cannot be reached, refuses, or answers with something else, each time.
        """

        def ask() -> tuple[Any, Answer]:
            most = self.access.most_json
            answer = self._send("GET", path, name=name, query=query, headers={"Accept": JSON}, most=most)
            if answer.status == _NO_CONTENT or not answer.content:
                document: Any = []
            else:
                try:
                    document = json.loads(answer.content)
                except ValueError:
                    raise PassingFault("was answered with JSON that is cut short, or with no JSON") from None
            wrong = None if check is None else check(document)
            if wrong is not None:
                raise PassingFault(wrong)
            return document, answer

        return patiently(ask, self.access, request=name)

    def content(self, path: str, *, name: str, accept: str, check: Callable[[Answer], str | None]) -> Answer:
        """Get any content; the arguments and errors are those of `json`."""

        def ask() -> Answer:
            answer = self._send("GET", path, name=name, headers={"Accept": accept})
            wrong = check(answer)
            if wrong is not None:
                raise PassingFault(wrong)
            return answer

        return patiently(ask, self.access, request=name)

    def post(self, path: str, content: bytes, *, name: str, kind: str) -> Answer:
        """Post content of a media type, and return the answer; a conflict, 409, is an answer too.

        Raises:
            ArchiveError: The server cannot be reached or refuses, each time.
        """
        headers = {"Content-Type": kind, "Accept": JSON}
        return patiently(
            lambda: self._send("POST", path, name=name, headers=headers, content=content, also=frozenset((409,))),
            self.access,
            request=name,
        )

    def _send(
        self,
        method: str,
        path: str,
        *,
        name: str,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str],
        content: bytes | None = None,
        also: frozenset[int] = frozenset(),
        most: int | None = None,
    ) -> Answer:
        access = self.access
        url = path if path.startswith(("http://", "https://")) else f"{access.url}/{path}"
        self.requests += 1
        try:
            with self._session.request(
                method,
                url,
                params=list(query),
                headers=dict(headers),
                data=content,
                timeout=access.timeout,
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = self._body(answer, name, access.most_content if most is None else most)
                found = Answer(answer.status_code, dict(answer.headers), body)
        except requests.exceptions.SSLError:
            raise ArchiveError(
                f"{access.server}: {name}: the server's certificate is not trusted, or it does not trust ours. Name "
                f"the file of the authorities that sign it in {CA}; see docs/pacs.md."
            ) from None
        except _PASSING_ERRORS as error:
            raise PassingFault(_what(error)) from None
        except (requests.RequestException, OSError):
            raise ArchiveError(f"{access.server}: {name}: the request cannot be sent. Check the address.") from None
        return self._judged(found, name, also)

    def _body(self, answer: requests.Response, name: str, most: int) -> bytes:
        """Return the content of an answer, decompressed.

        Raises:
            TooLongError: It has more bytes than `most`; the rest is not read.
        """
        parts, length = list[bytes](), 0
        try:
            for part in answer.iter_content(_CHUNK):
                length += len(part)
                if length > most:
                    raise TooLongError(
                        f"{self.access.server}: {name} was answered with more than {most >> 20} MB, and the rest was "
                        "not read. Ask who runs it what it sends; of a search, ask for less with --from, --to or "
                        "--modality."
                    )
                parts.append(part)
        finally:
            self.received += answer.raw.tell()
        return b"".join(parts)

    def _judged(self, answer: Answer, name: str, also: frozenset[int]) -> Answer:
        server, status = self.access.server, answer.status
        if 200 <= status < 300 or status in also:  # noqa: PLR2004 - the statuses of success
            return answer
        if status in PASSING:
            raise PassingFault(f"was answered with {status}", wish=_wish(answer))
        if status in _UNAUTHORISED:
            raise ArchiveError(
                f"{server}: {name} was refused with {status}. Set {TOKEN}_FILE, or {USER} and its password, to those "
                "of an account that may read images."
            )
        raise RefusedError(
            f"{server}: {name} was answered with {status}. Check the address and what it offers.", status
        )


class TooLongError(ArchiveError):
    """An answer is longer than what is read of one."""


class RefusedError(ArchiveError):
    """A server has no answer to a request.

    Args:
        message: What happened.
        status: The HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def _what(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "was not answered in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return "was answered only in part: the connection was cut"
    return "found no server, or its connection was cut"


def _wish(answer: Answer) -> float | None:
    """Return how long the server asks to wait (RFC 9110 section 10.2.3), where it says so in seconds."""
    text = next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), "")
    return float(text) if text.strip().isdecimal() else None
