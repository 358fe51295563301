"""The signature of a bundle: OpenSSF model-signing with keys of the site, offline, beside the bundle.

The signature lists the SHA-256 of every file. model-signing leaves `.git` and its like out by default; here nothing is
left out. Needs the extra `sign`, which is imported when it is used.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import InputError
from monai_unlearn.staging import staged_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model_signing import hashing

SUFFIX = ".sig"
_OF_FILES = "Signature mismatch"
_OF_KEY = "Key mismatch"


class SignatureFault(Exception):  # noqa: N818 - a fault of the signed, which a report names
    """A signature does not hold."""


class DamagedSignature(SignatureFault):
    """The signature was changed, or is none."""


class WrongKey(SignatureFault):
    """The signature was made with another key."""


@dataclass(frozen=True)
class Signed:
    """What a signature covers.

    Attributes:
        name: The name that the folder or file had when it was signed.
        digests: The SHA-256 of every file in hex digits, by its path within the bundle.
    """

    name: str
    digests: Mapping[str, str]


def signature_of(bundle: Path) -> Path:
    """Return where the signature of a bundle lies: beside it, under its name."""
    root = bundle.resolve()
    return root.with_name(root.name + SUFFIX)


def read_password(path: Path | None) -> bytes | None:
    """Return the password of a key in a file, without the line end; None where there is no file.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        return None if path is None else path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise InputError(f"{path}: the password cannot be read ({error.strerror}).") from None


def write_signature(bundle: Path, key: Path, *, target: Path, password: bytes | None = None) -> None:
    """Sign a bundle.

    Args:
        bundle: The folder of the bundle.
        key: The private key: PEM, elliptic curve P-256, P-384 or P-521.
        target: The file of the signature, outside the bundle.
        password: The password of the key, if it has one.

    Raises:
        InputError: The key cannot be used, or the extra `sign` is not installed.
    """
    signing = _model_signing("signing")
    try:
        config = signing.Config().use_elliptic_key_signer(private_key=key, password=password)
    except OSError as error:
        raise InputError(f"{key}: the key cannot be read ({error.strerror}).") from None
    except (ValueError, TypeError, AttributeError):
        raise InputError(
            f"{key}: expected a private key in PEM on the curve P-256, P-384 or P-521, with its password if it has one."
        ) from None
    with staged_file(target) as aside:
        config.set_hashing_config(_every_file()).sign(bundle.resolve(), aside)


def read_signature(signature: Path, public_key: Path) -> Signed:
    """Return what a signature covers, once it is known to be made with the key. Files are not compared.

    Args:
        signature: The file of the signature.
        public_key: The public key in PEM.

    Raises:
        DamagedSignature: The signature cannot be read, or does not fit what it signs.
        WrongKey: It was made with another key.
        InputError: The public key cannot be used, or the extra `sign` is not installed.
    """
    verifying = _model_signing("verifying")
    check_public_key(public_key)
    config = verifying.Config().use_elliptic_key_verifier(public_key=public_key).set_hashing_config(_every_file())
    try:
        # Its output is a remark on signatures of older versions. Files come second: in an empty folder, none fits.
        with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as nothing:
            config.verify(Path(nothing), signature)
    except Exception as error:  # noqa: BLE001 - pydantic, json, binascii, cryptography: each form of damage has its own
        # What a signature says of itself may stand within a message, but does not begin it.
        if str(error).startswith(_OF_KEY):
            raise WrongKey from None
        if not str(error).startswith(_OF_FILES):
            raise DamagedSignature from None
    if not _is_canonical(signature):
        raise DamagedSignature
    return _covered(signature)


def check_public_key(path: Path) -> None:
    """Refuse a file that is no public key on a curve that signatures are made with.

    Raises:
        InputError: The key cannot be used, or the extra `sign` is not installed.
    """
    _model_signing("verifying")
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        if isinstance(load_pem_public_key(path.read_bytes()), EllipticCurvePublicKey):
            return
    except OSError as error:
        raise InputError(f"{path}: the public key cannot be read ({error.strerror}).") from None
    except ValueError:
        pass
    raise InputError(f"{path}: expected a public key in PEM on the curve P-256, P-384 or P-521.")


def _is_canonical(signature: Path) -> bool:
    """Return whether a signature is written as its content is: base64 has bits that nothing reads."""
    import importlib

    document = json.loads(signature.read_text(encoding="utf-8"))
    try:
        content = importlib.import_module("sigstore_models.bundle.v1").Bundle.from_dict(document)
    except ValueError:  # pydantic's errors are
        return False
    return bool(json.loads(content.to_json()) == document)


def _covered(signature: Path) -> Signed:
    """Return what stands in a signature (in-toto statement, predicate `https://model_signing/signature/v1.0`)."""
    try:
        envelope = json.loads(signature.read_text(encoding="utf-8"))["dsseEnvelope"]
        statement = json.loads(base64.b64decode(envelope["payload"], validate=True))
        predicate, (subject,) = statement["predicate"], statement["subject"]
        if predicate["serialization"]["method"] != "files" or predicate["serialization"].get("ignore_paths"):
            raise DamagedSignature
        digests = {_sha256(one): str(one["digest"]) for one in predicate["resources"]}
        return Signed(name=str(subject["name"]), digests=digests)
    except (ValueError, KeyError, TypeError, OSError):
        raise DamagedSignature from None


def _sha256(resource: Mapping[str, Any]) -> str:
    if resource["algorithm"] != "sha256":
        raise ValueError("expected SHA-256")
    return str(resource["name"])


def _every_file() -> hashing.Config:
    config: hashing.Config = _model_signing("hashing").Config().use_file_serialization(hashing_algorithm="sha256")
    return config.set_ignored_paths(paths=[], ignore_git_paths=False)


def _model_signing(module: str) -> Any:  # noqa: ANN401 - a module
    import importlib

    try:
        return importlib.import_module(f"model_signing.{module}")
    except ImportError:
        raise InputError(
            "Signatures take model-signing and pyOpenSSL, which are not installed. Install them with: "
            "pip install 'monai-unlearn[sign]'"
        ) from None
