"""Storing files by STOW-RS (DICOM PS3.18 section 10.5)."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import ArchiveError
from monai_unlearn.pacs.items import FAILED, STORED, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai_unlearn.pacs.web import Web


def stored(web: Web, files: Sequence[bytes], *, study: str | None = None) -> dict[str, Any]:
    """Store files (STOW-RS, PS3.18 section 10.5), and return the server's answer: a DICOM JSON item.

    The status of each file is in its ReferencedSOPSequence, of those that are stored, and FailedSOPSequence.

    Args:
        web: What sends the request.
        files: Whole DICOM files.
        study: The study that they must belong to; null for any.

    Raises:
        ArchiveError: The server fails or refuses, or does not say which files it has stored.
    """
    boundary = secrets.token_hex(16)
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    content = b"".join(head + file + b"\r\n" for file in files) + f"--{boundary}--\r\n".encode()
    answer = web.post(
        "studies" if study is None else f"studies/{study}",
        content,
        name="POST studies",
        kind=f'multipart/related; type="application/dicom"; boundary={boundary}',
    )
    try:
        found = json.loads(answer.content) if answer.content else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ArchiveError(f"{web.access.server}: POST studies: expected DICOM JSON as the answer, got none.")
    if not any(values(found, tag) for tag in (STORED, FAILED)):
        raise ArchiveError(
            f"{web.access.server}: POST studies was answered with {answer.status} and without the files that are "
            "stored (PS3.18 section 10.5.3). Whether they are is not known: look for them in the archive."
        )
    return found
