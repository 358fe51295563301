"""What a form brings: read within bounds, and only if it comes from a page of this studio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile

from monai_unlearn.errors import InputError
from monai_unlearn.strict_yaml import MAX_BYTES
from monai_unlearn.studio.session import same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from monai_unlearn.studio.session import Session

FORM, TICKET = "form_token", "ticket"
HEADER = "x-form-token"
MAX_FIELDS, MAX_FILES, MAX_FILE = 40, 3, 1024 * 1024
# A field holds a spec at most; its limit is told by the language, so a little more comes through.
_MAX_FIELD = 2 * MAX_BYTES


class ForgedError(InputError):
    """A form that no page of this studio sent, or that was sent before."""


@dataclass(frozen=True)
class Upload:
    """A file that came with a form; its name on the other machine is not kept.

    Attributes:
        content: Its bytes.
    """

    content: bytes = field(repr=False)

    def text(self) -> str:
        """Return it as text.

        Raises:
            InputError: It is not UTF-8.
        """
        try:
            return self.content.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError:
            raise InputError("expected a text file in UTF-8, got other bytes. Nothing was kept.") from None


@dataclass(frozen=True)
class Form:
    """The fields and files of a form."""

    fields: Mapping[str, str]
    files: Mapping[str, Upload]

    def __getitem__(self, name: str) -> str:
        """Return a field; empty where the form has none."""
        return self.fields.get(name, "")

    def required(self, name: str, *, what: str) -> str:
        """Return a field that must not be empty.

        Args:
            name: The field.
            what: What it is, for the message.

        Raises:
            InputError: It is empty.
        """
        found = self[name].strip()
        if not found:
            raise InputError(f"{what} is missing: fill it in. Nothing was changed.")
        return found


async def read_form(request: Request, session: Session, *, act: bool = False) -> Form:
    """Read a form.

    Args:
        request: The request.
        session: The secrets that it must bring.
        act: Whether it does something that must not happen twice: then it needs a ticket of its own as well.

    Raises:
        ForgedError: It does not come from a page of this studio, or was sent before.
        InputError: A file is too large.
    """
    async with request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=_MAX_FIELD) as found:
        fields = {name: value for name, value in found.items() if isinstance(value, str)}
        if not same(request.headers.get(HEADER) or fields.get(FORM), session.form):
            raise ForgedError(
                "this form does not come from an open page of this studio. Reload the page; nothing was done."
            )
        if act and not session.use_ticket(fields.get(TICKET, ""), request.url.path):
            raise ForgedError("this form was sent before, or is too old. Reload the page to see what was done.")
        files: dict[str, Upload] = {}
        for name, value in found.items():
            if isinstance(value, UploadFile) and value.filename:
                content = await value.read(MAX_FILE + 1)
                if len(content) > MAX_FILE:
                    raise InputError(f"expected a file of at most {MAX_FILE // 1024} KiB, got more. Nothing was kept.")
                files[name] = Upload(content)
    return Form({name: value.replace("\r\n", "\n") for name, value in fields.items()}, files)
