"""A certificate for a venue on this machine, and the authority that clients are to trust.

The authority signs this one certificate, and its private key is then forgotten:
whoever trusts it trusts this venue and nothing else.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from openperp.node.private_files import write_private

LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")
"""Names of this machine, which every certificate is for."""

VALID_DAYS: Final = 820
"""Some clients take no certificate that is valid for more than 825 days."""

_HOST_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*"
    r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


class Certificate(NamedTuple):
    """Where the three files are, what the certificate is for, and when it ends."""

    authority: Path
    certificate: Path
    key: Path
    names: tuple[str, ...]
    until: datetime


def make_certificate(directory: Path, more_names: Iterable[str], now: datetime) -> Certificate:
    """Writes `ca.pem`, `cert.pem` and `key.pem` into a directory, which is made.

    The certificate is for this machine and for `more_names`: host names, which
    may begin with "*.", and IP addresses.

    Raises:
        ValueError: a sentence on a name that is none.
        FileExistsError: one of the files is there already; its name is `filename`.
        OSError: they cannot be written.
    """
    names = tuple(dict.fromkeys((*LOCAL_NAMES, *more_names)))
    subjects = [_subject(name) for name in names]
    made = Certificate(
        directory / "ca.pem",
        directory / "cert.pem",
        directory / "key.pem",
        names,
        now + timedelta(days=VALID_DAYS),
    )
    for path in (made.authority, made.certificate, made.key):
        if path.exists():
            raise FileExistsError(None, "it exists", str(path))
    directory.mkdir(parents=True, exist_ok=True)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _sign_authority(authority_key, now, made.until)
    certificate = _sign_server(key, subjects, authority, authority_key)
    write_private(made.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    made.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    made.authority.write_bytes(authority.public_bytes(Encoding.PEM))
    return made


def _subject(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        if _HOST_NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} is neither a host name nor an IP address") from None
        return x509.DNSName(name)


def _sign_authority(
    key: ec.EllipticCurvePrivateKey, now: datetime, until: datetime
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "openperp local authority")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        # A clock that is behind a little shall not make it a certificate of the future.
        _builder(name, name, key.public_key(), now - timedelta(days=1), until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, SHA256())
    )


def _sign_server(
    key: ec.EllipticCurvePrivateKey,
    subjects: list[x509.GeneralName],
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "openperp")])
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    first, last = authority.not_valid_before_utc, authority.not_valid_after_utc
    return (
        _builder(name, authority.subject, key.public_key(), first, last)
        .add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(authority_key, SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    first: datetime,
    last: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(first.astimezone(UTC))
        .not_valid_after(last.astimezone(UTC))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
