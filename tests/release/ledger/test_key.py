from __future__ import annotations

import sys

import pytest
from release_example import write_keys

from monai_unlearn.errors import InputError
from monai_unlearn.release.ledger.key import LedgerKey


def test_what_a_key_signed_its_public_half_verifies(tmp_path):
    private, public = write_keys(tmp_path)
    key, other = LedgerKey.read(private), LedgerKey.read_public(public)
    assert key.fingerprint == other.fingerprint
    assert key.public_pem() == public.read_bytes()
    signature = key.sign("text")
    assert other.verifies("text", signature)
    assert not other.verifies("texts", signature)
    assert not other.verifies("text", "no base64")
    assert not LedgerKey.read_public(write_keys(tmp_path, "other")[1]).verifies("text", signature)


def test_passwords_and_wrong_files(tmp_path):
    private, public = write_keys(tmp_path, password=b"secret")
    assert LedgerKey.read(private, password=b"secret").sign("a")
    for path, password in ((private, None), (private, b"x"), (public, None)):
        with pytest.raises(InputError, match="expected a private key in PEM .* with its password if it has one"):
            LedgerKey.read(path, password=password)
    with pytest.raises(InputError, match="expected a public key"):
        LedgerKey.read_public(private)
    with pytest.raises(InputError, match="the private key cannot be read"):
        LedgerKey.read(tmp_path / "missing")


def test_without_the_extra_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.serialization", None)
    with pytest.raises(InputError, match=r"pip install 'monai-unlearn\[sign\]'"):
        LedgerKey.read(tmp_path / "key")
