"""`lineage.json`: what each revision of a bundle forgot, in counts and digests. It travels, and names nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monai_unlearn.cohort.spec.canonical import digest_of
from monai_unlearn.cohort.spec.document import Reason, Scope
from monai_unlearn.errors import ConfigError
from monai_unlearn.staging import write_text
from monai_unlearn.terminal import json_text
from monai_unlearn.vocabulary.run_folder import LINEAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION: Literal[1] = 1
MAX_BYTES = 4 * 1024**2
_REMEDY = "Get the bundle as the revision wrote it."

_Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Version = Annotated[str, Field(pattern=r"^[0-9][0-9A-Za-z.+!-]*$", max_length=64)]
_Count = Annotated[int, Field(ge=0)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Counts(_Closed):
    """Images, or patients, by part.

    Attributes:
        forget: To be forgotten by the revision.
        remain: Kept.
        undetermined: Used for neither.
    """

    forget: _Count
    remain: _Count
    undetermined: _Count


class ForgottenEarlier(_Closed):
    """The images that a revision kept out of its parts, because earlier ones forgot them.

    Attributes:
        images: Images that an earlier revision forgot, by identifier or pixels.
        later_images: Further images of patients whom an earlier revision forgot.
    """

    images: _Count
    later_images: _Count


class Entry(_Closed):
    """What one revision forgot.

    Attributes:
        version: The bundle's version after it.
        base_version: The version before.
        date: The day, as 2026-11-26.
        tool_version: The version of this package.
        cohort: The name of the cohort.
        reason: Why it was forgotten; see the spec.
        scope: What the spec extended each match to.
        images: Images of the cohort by part.
        patients: Patients of the cohort by part.
        forgotten_earlier: What stayed out of these parts.
        verdict: What the revision was found to be; null where nothing judged it.
        spec_digest: The digest of the spec.
        manifest_digest: The digest of `evidence/cohort_manifest.json`.
        members_digest: The digest of the revision's rows in `evidence/lineage_members.parquet`.
        base_weights_digest: The digest of the weights before.
        weights_digest: The digest of the weights after.
    """

    version: _Version
    base_version: _Version
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    tool_version: str
    cohort: str
    reason: Literal[tuple(one.value for one in Reason)]  # type: ignore[valid-type]  # the spec's own words
    scope: Literal[tuple(one.value for one in Scope)]  # type: ignore[valid-type]
    images: Counts
    patients: Counts
    forgotten_earlier: ForgottenEarlier
    verdict: str | None
    spec_digest: _Digest
    manifest_digest: _Digest
    members_digest: _Digest
    base_weights_digest: _Digest
    weights_digest: _Digest


class Lineage(_Closed):
    """Every revision of a bundle, the first one first.

    Attributes:
        schema_version: The version of this document.
        revisions: What each revision forgot.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    revisions: Annotated[tuple[Entry, ...], Field(min_length=1)]

    @classmethod
    def read(cls, bundle: str | Path) -> Lineage | None:
        """Read the lineage of a bundle; None where it was never revised.

        The digest within the file detects damage and edits by hand. It does not prove who wrote the file.

        Raises:
            ConfigError: The file cannot be read, is not a lineage of this version, or was changed after it was written.
        """
        path = Path(bundle) / LINEAGE
        if not path.exists():
            return None
        claimed, content = _content(path)
        if claimed != digest_of(content):
            raise ConfigError(f"{path}: does not match its digest: it was changed after it was written. {_REMEDY}")
        try:
            lineage = cls.model_validate_json(json.dumps(content))
        except ValidationError as error:
            raise ConfigError(f"{path}: expected the lineage of a bundle; {_first_fault(error)}. {_REMEDY}") from None
        if twice := _twice(lineage.versions):
            raise ConfigError(f"{path}: version {twice} occurs twice. {_REMEDY}")
        return lineage

    @classmethod
    def read_for(cls, bundle: str | Path, record: Mapping[str, Any]) -> Lineage | None:
        """Read the lineage of a bundle, and check that it is the one that its weights were revised with.

        Args:
            bundle: The bundle.
            record: The training record of its weights; that of a revised bundle has the digest of the lineage. Empty
                where there is none, and then nothing is compared.

        Raises:
            ConfigError: As `read`; or the lineage is missing, or is another one.
        """
        lineage, recorded = cls.read(bundle), record.get("lineage_digest")
        if recorded and recorded != (lineage and lineage.digest):
            found = "missing" if lineage is None else "another one"
            raise ConfigError(
                f"{Path(bundle) / LINEAGE} is {found}: the training record of the weights says that the bundle was "
                "revised, and without the lineage of that revision, what was forgotten would be trained on again. "
                f"{_REMEDY}"
            )
        return lineage

    @property
    def versions(self) -> tuple[str, ...]:
        """The version after each revision."""
        return tuple(entry.version for entry in self.revisions)

    @property
    def digest(self) -> str:
        """The digest of the document."""
        return digest_of(self.model_dump(mode="json"))

    def to_dict(self) -> dict[str, Any]:
        """Return the document as plain values, with its own digest."""
        return {**self.model_dump(mode="json"), "digest": self.digest}

    def write(self, bundle: Path) -> None:
        """Write the lineage into a bundle, as canonical JSON."""
        write_text(bundle / LINEAGE, json_text(self.to_dict(), sort_keys=True, allow_nan=False) + "\n")


def appended(earlier: Lineage | None, entry: Entry) -> Lineage:
    """Return the lineage with one more revision.

    Args:
        earlier: The lineage so far; None before the first revision.
        entry: What the revision forgot.

    Raises:
        ConfigError: An earlier revision has the same version.
    """
    lineage = Lineage(revisions=(*(earlier.revisions if earlier else ()), entry))
    if _twice(lineage.versions):
        raise ConfigError(
            f"the bundle's {LINEAGE} has a version {entry.version} already, so its version was set back since. "
            "Set the version in configs/metadata.json to the last one of the lineage."
        )
    return lineage


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `lineage.json`."""
    schema = Lineage.model_json_schema()
    schema["properties"]["digest"] = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
    schema["required"] = [*schema["required"], "digest"]
    return schema


def _content(path: Path) -> tuple[object, dict[str, Any]]:
    """Return the digest that a file claims, and the rest of it."""
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}). {_REMEDY}") from None
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{path}: expected at most {MAX_BYTES // 1024**2} MiB of JSON, got more. {_REMEDY}")
    try:
        document = json.loads(text.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        digest_of(document)  # a lone surrogate cannot be encoded
    except (ValueError, RecursionError):
        raise ConfigError(f"{path}: expected JSON, got other content. {_REMEDY}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: expected the lineage of a bundle, got other JSON. {_REMEDY}")
    return document.pop("digest", None), document


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'the document'}: {fault['msg']}"


def _twice(versions: tuple[str, ...]) -> str | None:
    return next((one for one in versions if versions.count(one) > 1), None)
