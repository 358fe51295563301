"""A studio without a browser: Starlette's client with the cookie of the link and the token of the forms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cohort_index import make_index
from starlette.testclient import TestClient

from monai_unlearn.studio.app import build_app
from monai_unlearn.studio.settings import Settings
from monai_unlearn.studio.studio import Studio
from monai_unlearn.vocabulary.fields import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from monai_unlearn.index import Index

ORIGIN = "http://127.0.0.1:8477"
# Values that no page may show: each field identifies somebody.
SECRETS = ("SECRET-PATIENT", "SECRET-STUDY", "SECRET-IMAGE", "SECRET-OPERATOR", "SECRET-PATH")
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
SPEC = "schema_version: 1\nname: retire-old\nreason: device_deprecation\nforget: device == Old\n"


def studio_index(folder: Path) -> Index:
    """Write an index of two devices and two classes, with names that try to be markup, and secrets."""
    rows = 12
    columns: dict[str, list[Any]] = {
        "ManufacturerModelName": ["Old"] * 4 + ["New"] * 6 + [MARKUP, None],
        "OperatorsName": [f"SECRET-OPERATOR-{number}" for number in range(rows)],
        "diagnosis": ["glaucoma", "normal"] * 5 + [MARKUP, "normal"],
        "image_id": [f"SECRET-IMAGE-{number}" for number in range(rows)],
        "patient": [f"SECRET-PATIENT-{number // 2}" for number in range(rows)],
        "study": [f"SECRET-STUDY-{number}" for number in range(rows)],
        "path": [f"SECRET-PATH-{number}.png" for number in range(rows)],
    }
    kinds = dict.fromkeys(("ManufacturerModelName", "OperatorsName", "diagnosis"), Kind.TEXT)
    return make_index(folder, columns, kinds, label="diagnosis")


class Visitor:
    """Somebody who has opened the link of a studio.

    Args:
        settings: What the studio is given; `work` is required.
    """

    def __init__(self, **settings: Any) -> None:
        self.studio = Studio(Settings(**settings))
        self.studio.workspace.prepare()
        self.app = build_app(self.studio, [ORIGIN])
        self.client = self.stranger()
        self.client.get(f"/?token={self.studio.session.token}")

    def stranger(self) -> TestClient:
        """Return a client without a cookie."""
        return TestClient(self.app, base_url=ORIGIN, raise_server_exceptions=False, follow_redirects=False)

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def post(self, path: str, data: dict[str, str] | None = None, **options: Any) -> Any:
        """Send a form as a page of the studio would."""
        fields = {"form_token": self.studio.session.form, **(data or {})}
        return self.client.post(path, data=fields, headers={"origin": ORIGIN, **options.pop("headers", {})}, **options)

    def act(self, path: str, data: dict[str, str] | None = None, **options: Any) -> Any:
        """Send a form that acts, with a ticket of its own."""
        return self.post(path, {"ticket": self.studio.session.ticket(path), **(data or {})}, **options)


def words(page: str) -> str:
    """Return the text of a page without its markup and its runs of white space."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
