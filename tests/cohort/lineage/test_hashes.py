from __future__ import annotations

import hashlib
import hmac
from types import SimpleNamespace

import pandas as pd
import pytest
from tiny import tiny_index, write_images

from monai_unlearn.cohort.lineage.hashes import Hashes, image_rows
from monai_unlearn.index.pseudonyms import Pseudonyms

KEY = Pseudonyms(b"sixteen bytes or more")
OTHER = Pseudonyms(b"another key than that")


def index(*, pseudonyms=None, patient_from="PatientID"):
    return SimpleNamespace(pseudonyms=pseudonyms, patient_from=patient_from)


def hashed(where, key=KEY, *, digests=None, **columns):
    """Hash the only image of an index, by kind."""
    rows = pd.DataFrame({"image_id": ["1.2.3"], **{name: [value] for name, value in columns.items()}})
    found = list(Hashes(key, where).of(rows, digests or {}))
    assert {name for name, *_ in found} == {"1.2.3"}
    return {(kind, one) for _, kind, one in found}


def test_a_hash_is_an_hmac_of_kind_and_value():
    found = hashed(index(), digests={"1.2.3": "sha256:x"}, patient="p")
    pseudonym = hmac.new(KEY.key, b"patient\0p", hashlib.sha256).hexdigest()
    texts = {"image": "1.2.3", "pixels": "sha256:x", "patient": pseudonym}
    expected = {
        (kind, hmac.new(KEY.key, f"lineage {kind}\0{text}".encode(), hashlib.sha256).hexdigest())
        for kind, text in texts.items()
    }
    assert found == expected


def test_what_is_missing_is_not_hashed():
    assert {kind for kind, _ in hashed(index(), digests={"1.2.3": None}, patient=None)} == {"image"}
    assert {kind for kind, _ in hashed(index())} == {"image"}


@pytest.mark.parametrize("origin", ["PatientID", "PatientID, IssuerOfPatientID"])
@pytest.mark.parametrize("patient", ["p", "p^^^HOSPITAL"])
def test_a_plain_index_and_one_of_pseudonyms_of_the_key_agree(origin, patient):
    name, mark, rest = patient.partition("^^^") if "Issuer" in origin else (patient, "", "")
    pseudonym = KEY.of("patient", name) + mark + rest
    plain = hashed(index(patient_from=origin), patient=patient)
    secret = index(pseudonyms=KEY.fingerprint, patient_from=origin)
    assert plain == hashed(secret, patient=pseudonym)
    assert plain != hashed(secret, OTHER, patient=pseudonym)
    assert Hashes(KEY, index()).patients_by == Hashes(KEY, secret).patients_by == KEY.fingerprint
    assert Hashes(OTHER, secret).patients_by == KEY.fingerprint


def test_every_identifier_of_a_patient_counts():
    both = hashed(index(), patient="a", patient_ids="a\\b")
    assert hashed(index(), patient="a") | hashed(index(), patient="b") == both


def test_rows_are_those_of_usable_images(tmp_path):
    frame = write_images(tmp_path / "images", patients=2).assign(fault=[None, "unreadable", None, None])
    rows = image_rows(tiny_index(tmp_path, frame=frame))
    assert list(rows["image_id"]) == ["image-000L", "image-001L", "image-001R"]
    assert set(rows) <= {"image_id", "patient", "patient_ids"}
