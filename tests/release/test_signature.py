from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from model_signing import signing
from release_example import write_keys, write_release

from monai_unlearn.errors import InputError
from monai_unlearn.release.signature import (
    DamagedSignature,
    WrongKey,
    read_signature,
    signature_of,
    write_signature,
)
from monai_unlearn.release.sums import read_sums, sums_of


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signed")
    bundle = write_release(folder / "revised_bundle")
    (bundle / ".gitignore").write_text("x")
    private, public = write_keys(folder)
    write_signature(bundle, private, target=signature_of(bundle))
    return bundle, public


def test_it_lies_beside_the_bundle(signed, monkeypatch):
    bundle, _ = signed
    assert signature_of(bundle) == bundle.parent / "revised_bundle.sig"
    monkeypatch.chdir(bundle)
    assert signature_of(Path()) == signature_of(bundle)


def test_it_covers_every_file(signed):
    bundle, public = signed
    digests = read_signature(signature_of(bundle), public).digests
    assert {name: digests[name] for name in digests if name != "SHA256SUMS"} == sums_of(bundle)
    assert ".gitignore" in digests
    assert set(read_sums(bundle)) < set(digests)


def test_another_key_is_told(signed, tmp_path):
    bundle, _ = signed
    with pytest.raises(WrongKey):
        read_signature(signature_of(bundle), write_keys(tmp_path, "other")[1])


def test_a_changed_signature_is_damaged(signed, tmp_path):
    bundle, public = signed
    document = json.loads(signature_of(bundle).read_text())
    payload = document["dsseEnvelope"]["payload"]
    for changed in (
        {**document, "dsseEnvelope": {**document["dsseEnvelope"], "payload": payload[:100] + "A" + payload[101:]}},
        {**document, "dsseEnvelope": {**document["dsseEnvelope"], "signatures": []}},
        {**document, "mediaType": "x"},
        {},
        [],
    ):
        (tmp_path / "a.sig").write_text(json.dumps(changed))
        with pytest.raises(DamagedSignature):
            read_signature(tmp_path / "a.sig", public)
    (tmp_path / "a.sig").write_bytes(b"\xff")
    with pytest.raises(DamagedSignature):
        read_signature(tmp_path / "a.sig", public)


def test_no_bit_of_a_signature_can_be_flipped(signed, tmp_path):
    bundle, public = signed
    content = signature_of(bundle).read_bytes()
    ends = [place for place in range(len(content)) if content[place : place + 1] in (b"=", b'"')]
    for place in {*(end - 1 for end in ends), *range(0, len(content), 97)}:
        for bit in range(8):
            changed = content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]
            (tmp_path / "a.sig").write_bytes(changed)
            with pytest.raises((DamagedSignature, WrongKey)):
                read_signature(tmp_path / "a.sig", public)


def test_a_signature_that_leaves_files_out_does_not_count(signed, tmp_path):
    bundle, _ = signed
    private, public = write_keys(tmp_path)
    signing.Config().use_elliptic_key_signer(private_key=private).sign(bundle, tmp_path / "a.sig")
    with pytest.raises(DamagedSignature):
        read_signature(tmp_path / "a.sig", public)


def test_a_key_with_a_password(signed, tmp_path):
    bundle, _ = signed
    private, public = write_keys(tmp_path, password=b"secret")
    write_signature(bundle, private, target=tmp_path / "a.sig", password=b"secret")
    assert read_signature(tmp_path / "a.sig", public).digests
    for password in (None, b"wrong"):
        with pytest.raises(InputError, match="with its password if it has one"):
            write_signature(bundle, private, target=tmp_path / "b.sig", password=password)
    assert not (tmp_path / "b.sig").exists()


def test_files_that_are_no_keys_are_refused(signed, tmp_path):
    bundle, public = signed
    private, _ = write_keys(tmp_path)
    (tmp_path / "none.pem").write_text("no key")
    for wrong in (tmp_path / "none.pem", private):
        with pytest.raises(InputError, match="expected a public key in PEM"):
            read_signature(signature_of(bundle), wrong)
    for wrong in (tmp_path / "none.pem", public):
        with pytest.raises(InputError, match="expected a private key in PEM"):
            write_signature(bundle, wrong, target=tmp_path / "a.sig")
    with pytest.raises(InputError, match="the public key cannot be read"):
        read_signature(signature_of(bundle), tmp_path / "missing")
    with pytest.raises(InputError, match="the key cannot be read"):
        write_signature(bundle, tmp_path / "missing", target=tmp_path / "a.sig")


def test_without_the_extra_it_says_how_to_get_it(signed, monkeypatch):
    bundle, public = signed
    monkeypatch.setitem(sys.modules, "model_signing.verifying", None)
    with pytest.raises(InputError, match=r"pip install 'monai-unlearn\[sign\]'"):
        read_signature(signature_of(bundle), public)
