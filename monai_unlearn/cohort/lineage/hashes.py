"""What stands for an image and its patient in `lineage_members.parquet`: hashes under a key of the site.

HMAC-SHA-256 (RFC 2104 with FIPS 180-4) of the image's identifier (SOPInstanceUID), of the digest of its pixels, so that
a renamed file or another SOPInstanceUID makes no difference, and of the patient's identifiers.

A patient has one hash in an index of plain identifiers and in an index of pseudonyms, if both belong to the same key:
the pseudonym is hashed, which is computed first where the index has the identifier itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from monai_unlearn.index.patient_key import INSTITUTION, ISSUED_BY, ISSUER
from monai_unlearn.index.pseudonyms import Pseudonyms, is_pseudonym
from monai_unlearn.index.store.schema import PIXEL_DIGEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monai_unlearn.index import Index

IMAGE, PIXELS, PATIENT = "image", "pixels", "patient"
KINDS = (IMAGE, PIXELS, PATIENT)
# A hash of one kind is never that of another, nor a pseudonym of an index.
_DOMAINS = {kind: f"lineage {kind}" for kind in KINDS}


@dataclass(frozen=True)
class Hashes:
    """Hashes what identifies the images of an index.

    Attributes:
        key: The key of the site.
        index: The index.
    """

    key: Pseudonyms
    index: Index

    @property
    def patients_by(self) -> str:
        """The fingerprint of the key that pseudonyms of patients belong to: only hashes of the same one agree."""
        return self.index.pseudonyms or self.key.fingerprint

    def of(self, rows: pd.DataFrame, digests: Mapping[str, str | None]) -> Iterator[tuple[str, str, str]]:
        """Yield `(image_id, kind, hash)` of some images.

        Args:
            rows: Their rows of the index: `image_id`, `patient` and, if there is one, `patient_ids`.
            digests: The digest of the pixels of each image, by its identifier; null where there is none.
        """
        names = rows["image_id"].astype(str)
        for name in names:
            yield name, IMAGE, image_hash(self.key, name)
            if (digest := digests.get(name)) is not None:
                yield name, PIXELS, self.key.of(_DOMAINS[PIXELS], digest)
        known: dict[str, str] = {}
        columns = [column for column in ("patient", "patient_ids") if column in rows]
        for name, *texts in zip(names, *(rows[column] for column in columns), strict=True):
            for patient in _identifiers(texts):
                if patient not in known:
                    known[patient] = self.key.of(_DOMAINS[PATIENT], self._pseudonym(patient))
                yield name, PATIENT, known[patient]

    def _pseudonym(self, patient: str) -> str:
        """Return the key of a patient with a pseudonym in place of the identifier, as a pseudonymised index has it."""
        name, mark, rest = patient.partition(ISSUED_BY) if self._is_qualified else (patient, "", "")
        if self.index.pseudonyms is None or not is_pseudonym(name):
            name = self.key.of("patient", name)
        return name + mark + rest

    @cached_property
    def _is_qualified(self) -> bool:
        """Whether who issued an identifier, or where, stands behind it."""
        return not {ISSUER, INSTITUTION}.isdisjoint(part.strip() for part in (self.index.patient_from or "").split(","))


def image_hash(key: Pseudonyms, image: str) -> str:
    """Return what stands for the identifier of an image under a key."""
    return key.of(_DOMAINS[IMAGE], image)


def image_rows(index: Index) -> pd.DataFrame:
    """Return what hashes need of the usable images of an index: their identifiers, patients and digests of pixels."""
    from monai_unlearn.index import usable_mask

    wanted = [name for name in ("patient", "patient_ids", PIXEL_DIGEST) if name in index.columns]
    frame = index.frame(["image_id", "fault", *wanted])
    return frame[usable_mask(frame)].drop(columns="fault").reset_index(drop=True)


def _identifiers(texts: list[Any]) -> set[str]:
    """Return every identifier of a patient; none for an image without one."""
    return {part for text in texts if pd.notna(text) for part in str(text).split("\\") if part}
