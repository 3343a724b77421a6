"""Keys whose owner signs with a private key: Ed25519 and RSA, known here by the public half.

A signature is base64. In a query it is percent-encoded; a client that forgets
to do so sends blanks where plus signs were, which are taken for them.
"""

from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Callable
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

ED25519: Final = "ed25519"
RSA: Final = "rsa"
PUBLIC_KEY_KINDS: Final = (ED25519, RSA)

RSA_BITS_MIN: Final = 2048
RSA_BITS_MAX: Final = 4096
"""Longer ones take longer to check, at the expense of everyone."""

PEM_MAX: Final = 2_000
"""Characters; the public key of an RSA pair of 4096 bits takes 800."""

Verifier = Callable[[bytes, str], bool]


def public_key_verifier(kind: str, pem: str) -> Verifier:
    """Tells whether a base64 signature is that of a text by the owner of a public key.

    RSA signatures are RSASSA-PKCS1-v1_5 with SHA-256.

    Raises:
        ValueError: a sentence on why `pem` is no public key of that kind.
    """
    key = _load(pem)
    if kind == ED25519 and isinstance(key, Ed25519PublicKey):
        return _verifier(key.verify)
    if kind == RSA and isinstance(key, RSAPublicKey):
        if not RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
            raise ValueError(
                f"the RSA key has {key.key_size} bits; {RSA_BITS_MIN} to {RSA_BITS_MAX} are taken"
            )
        padding, digest = PKCS1v15(), hashes.SHA256()
        return _verifier(lambda signature, text: key.verify(signature, text, padding, digest))
    raise ValueError(f"public_key is not that of an {kind} pair")


def _load(pem: str) -> Any:
    if len(pem) > PEM_MAX:
        raise ValueError(f"public_key has more than {PEM_MAX} characters")
    if "PRIVATE KEY" in pem:
        raise ValueError("this is a private key: keep it, and send the public key of the pair")
    try:
        return load_pem_public_key(pem.encode("utf-8", "replace"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(_explain_unreadable(pem, str(error))) from None


def _explain_unreadable(pem: str, reason: str) -> str:
    if not all(f"-----{end} PUBLIC KEY-----" in pem for end in ("BEGIN", "END")):
        return 'public_key is not in PEM form: it begins with "-----BEGIN PUBLIC KEY-----"'
    sentence = reason.partition(". ")[0].rstrip(".")
    return f"public_key has the first and last line of PEM form, and no key within: {sentence}"


def _verifier(check: Callable[[bytes, bytes], None]) -> Verifier:
    def verify(text: bytes, signature: str) -> bool:
        try:
            check(b64decode(signature.replace(" ", "+"), validate=True), text)
        except (InvalidSignature, BadBase64, ValueError):
            return False
        return True

    return verify
