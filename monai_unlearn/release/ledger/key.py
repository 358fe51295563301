"""The keys that lines of the ledger are signed with: those of signatures of bundles."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monai_unlearn.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

# Nothing else that is signed with the same key can pass for a line.
_CONTEXT = b"monai-unlearn ledger line\n"


@dataclass(frozen=True)
class LedgerKey:
    """A private or a public key on an elliptic curve.

    Attributes:
        private: The private key; None where only lines are checked.
        public: The public key.
        fingerprint: SHA-256 of the public key (DER, SubjectPublicKeyInfo).
    """

    private: Any
    public: Any
    fingerprint: str

    @classmethod
    def read(cls, path: Path, *, password: bytes | None = None) -> LedgerKey:
        """Read a private key.

        Args:
            path: The key: PEM, elliptic curve.
            password: Its password, if it has one.

        Raises:
            InputError: The key cannot be used, or the extra `sign` is not installed.
        """
        load, (curve, _) = _loader("load_pem_private_key"), _curves()
        private = _load(path, curve, lambda data: load(data, password), kind="private")
        return cls(private, private.public_key(), _fingerprint(private.public_key()))

    @classmethod
    def read_public(cls, path: Path) -> LedgerKey:
        """Read a public key.

        Raises:
            InputError: The key cannot be used, or the extra `sign` is not installed.
        """
        _, curve = _curves()
        public = _load(path, curve, _loader("load_pem_public_key"), kind="public")
        return cls(None, public, _fingerprint(public))

    def public_pem(self) -> bytes:
        """Return the public key in PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        pem: bytes = self.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem

    def sign(self, text: str) -> str:
        """Return the signature of a text in base64."""
        return base64.b64encode(self.private.sign(_CONTEXT + text.encode(), _algorithm())).decode()

    def verifies(self, text: str, signature: str) -> bool:
        """Return whether a signature is that of a text under this key."""
        from cryptography.exceptions import InvalidSignature

        try:
            self.public.verify(base64.b64decode(signature, validate=True), _CONTEXT + text.encode(), _algorithm())
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True


def _load(path: Path, curve: type, load: Any, *, kind: str) -> Any:  # noqa: ANN401 - of cryptography
    try:
        key = load(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: the {kind} key cannot be read ({error.strerror}).") from None
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, curve):
        hint = ", with its password if it has one" if kind == "private" else ""
        raise InputError(f"{path}: expected a {kind} key in PEM on the curve P-256, P-384 or P-521{hint}.")
    return key


def _loader(name: str) -> Any:  # noqa: ANN401 - as above
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise InputError(
            "The ledger takes cryptography, which comes with signatures and is not installed. Install it with: "
            "pip install 'monai-unlearn[sign]'"
        ) from None
    return getattr(serialization, name)


def _curves() -> tuple[type, type]:
    _loader("load_pem_public_key")
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey


def _algorithm() -> Any:  # noqa: ANN401 - as above
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.ECDSA(hashes.SHA256())


def _fingerprint(public: Any) -> str:  # noqa: ANN401 - as above
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    content = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
