"""The parts of a multipart answer (RFC 2046, RFC 2387), as WADO-RS sends files."""

from __future__ import annotations

from email.message import Message
from typing import TYPE_CHECKING

from requests.structures import CaseInsensitiveDict

from monai_unlearn.errors import ArchiveError

if TYPE_CHECKING:
    from monai_unlearn.pacs.web import Answer


def parts(answer: Answer) -> list[bytes]:
    """Return the contents of the parts.

    Raises:
        ValueError: The answer is not multipart, or is cut short.
    """
    kind = Message()
    kind["Content-Type"] = CaseInsensitiveDict(answer.headers).get("content-type", "")
    boundary = kind.get_param("boundary")
    if kind.get_content_maintype() != "multipart" or not isinstance(boundary, str):
        raise ValueError("not multipart")
    border = b"--" + boundary.encode("ascii", "replace")
    content = b"\r\n" + answer.content
    if b"\r\n" + border + b"--" not in content:
        raise ValueError("cut short")
    whole = content[: content.rindex(b"\r\n" + border + b"--")]
    return [_body(part) for part in whole.split(b"\r\n" + border)[1:]]


def _body(part: bytes) -> bytes:
    """Return a part without the rest of its border's line, and its headers."""
    if part.startswith(b"\r\n\r\n"):  # no headers
        return part[4:]
    head, found, body = part.partition(b"\r\n\r\n")
    if not found or not head.lstrip(b" \t").startswith(b"\r\n"):
        raise ValueError("malformed")
    return body


def is_part(answer: Answer) -> str | None:
    """Return what is wrong with an answer that should contain one file; null if nothing is."""
    try:
        return None if len(parts(answer)) == 1 else "was answered with another number of files than one"
    except ValueError:
        return "was answered with a file that is cut short, or with no file"


def first_part(answer: Answer) -> bytes:
    """Return the only file of an answer.

    Raises:
        ArchiveError: There is none.
    """
    try:
        return parts(answer)[0]
    except (IndexError, ValueError):
        raise ArchiveError("expected a file in the answer, got none.") from None
