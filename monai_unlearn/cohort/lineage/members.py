"""`lineage_members.parquet`: whom and what earlier revisions forgot, as hashes. It stays with the images."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from monai_unlearn.cohort.lineage.hashes import KINDS, PATIENT
from monai_unlearn.errors import ConfigError
from monai_unlearn.staging import staged_file
from monai_unlearn.vocabulary.run_folder import LINEAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from monai_unlearn.cohort.lineage.document import Lineage

SCHEMA_VERSION = 1
SCHEMA = pa.schema([("revision", pa.string()), ("kind", pa.string()), ("by", pa.string()), ("hash", pa.string())])
_METADATA = b"monai_unlearn"

Row = tuple[str, str, str, str]
"""Version of the revision, kind, fingerprint of the key that pseudonyms of patients belong to, and the hash."""


@dataclass(frozen=True)
class Forgotten:
    """The images of an index that earlier revisions forgot.

    Attributes:
        versions: The first revision that forgot an image, by its identifier or by its pixels.
        later_images: Further images of patients whom a revision forgot, such as those that were made since.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    later_images: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class LineageMembers:
    """The hashes of what each revision forgot.

    Attributes:
        key: The fingerprint of the key.
        rows: The hashes.
    """

    key: str
    rows: frozenset[Row] = frozenset()

    @classmethod
    def of(cls, version: str, hashes: Iterable[tuple[str, str]], *, key: str, patients_by: str) -> LineageMembers:
        """Return the members of one revision.

        Args:
            version: The bundle's version after it.
            hashes: Kind and hash of what is forgotten.
            key: The fingerprint of the key.
            patients_by: The fingerprint of the key that pseudonyms of patients belong to.
        """
        rows = frozenset((version, kind, patients_by if kind == PATIENT else "", one) for kind, one in hashes)
        return cls(key=key, rows=rows)

    @classmethod
    def read(cls, path: Path, lineage: Lineage) -> LineageMembers:
        """Read the members of every revision of a lineage, and check that they are those that it was written with.

        Raises:
            ConfigError: The file cannot be read, or is not the one that belongs to the lineage.
        """
        try:
            table = pq.read_table(path)
            document = json.loads((table.schema.metadata or {})[_METADATA])
            columns = table.select(SCHEMA.names).cast(SCHEMA).to_pydict()
            members = cls(key=str(document["key"]), rows=frozenset(zip(*columns.values(), strict=True)))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror or 'I/O error'}).") from None
        except (pa.ArrowException, KeyError, ValueError, TypeError):
            raise ConfigError(f"{path}: expected the members of a lineage, got another file.") from None
        members.check(lineage, path)
        return members

    def check(self, lineage: Lineage, path: Path) -> None:
        """Refuse members that do not belong to a lineage.

        Raises:
            ConfigError: A revision has other members, or there are members of a revision that the lineage lacks.
        """
        differing = [one.version for one in lineage.revisions if self.digest(one.version) != one.members_digest]
        unknown = {row[0] for row in self.rows} - set(lineage.versions)
        if differing or unknown or not {row[1] for row in self.rows} <= set(KINDS):
            named = ", ".join(differing) or "another revision"
            raise ConfigError(
                f"{path}: the members of {named} are not those that the bundle's {LINEAGE} was written with: one of "
                "the two files was changed, or belongs to another bundle. Get the two files of the same run."
            )

    def digest(self, version: str) -> str:
        """Return the digest of a revision's members and of the fingerprint of their key."""
        digest = hashlib.sha256(f"{self.key}\n".encode())
        for row in sorted(row for row in self.rows if row[0] == version):
            digest.update(f"{' '.join(map(str, row[1:]))}\n".encode())
        return f"sha256:{digest.hexdigest()}"

    def union(self, other: LineageMembers) -> LineageMembers:
        """Return the members of both.

        Raises:
            ConfigError: They are hashed under different keys.
        """
        if self.key != other.key:
            raise ConfigError("the members of two revisions are hashed under different keys. Use one key for both.")
        return LineageMembers(key=self.key, rows=self.rows | other.rows)

    def write(self, path: Path) -> None:
        """Write the members as Parquet, sorted: the same members give the same bytes."""
        rows = sorted(self.rows)
        columns = [[row[place] for row in rows] for place in range(len(SCHEMA))]
        document = json.dumps({"schema_version": SCHEMA_VERSION, "key": self.key})
        table = pa.table(columns, schema=SCHEMA.with_metadata({_METADATA: document}))
        with staged_file(path) as aside:
            pq.write_table(table, aside, compression="zstd", write_statistics=False)

    def found(self, hashes: Iterable[tuple[str, str, str]], lineage: Lineage) -> Forgotten:
        """Return which images of an index earlier revisions forgot.

        Args:
            hashes: `(image_id, kind, hash)` of the images.
            lineage: The revisions, the first one first.
        """
        order = {version: number for number, version in enumerate(lineage.versions)}
        first: dict[tuple[str, str], int] = {}
        for version, kind, _, one in self.rows:
            first[kind, one] = min(order[version], first.get((kind, one), order[version]))
        images: dict[str, int] = {}
        people: set[str] = set()
        for image, kind, one in hashes:
            number = first.get((kind, one))
            if number is None:
                continue
            if kind == PATIENT:
                people.add(image)
            else:
                images[image] = min(number, images.get(image, number))
        versions = {image: lineage.versions[number] for image, number in images.items()}
        return Forgotten(versions, frozenset(people - images.keys()))

    @property
    def patients_by(self) -> frozenset[str]:
        """The fingerprints of the keys that pseudonyms of forgotten patients belong to."""
        return frozenset(row[2] for row in self.rows if row[1] == PATIENT)
