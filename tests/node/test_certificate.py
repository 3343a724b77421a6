"""What `make_certificate` writes, as a TLS library sees it."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from openperp.node.certificate import LOCAL_NAMES, VALID_DAYS, make_certificate

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_it_is_for(tmp_path: Path) -> None:
    made = make_certificate(tmp_path / "new" / "tls", ["fapi.binance.com", "::1", "10.0.0.7"], NOW)
    assert made.names == (*LOCAL_NAMES, "fapi.binance.com", "10.0.0.7")
    assert made.until == NOW + timedelta(days=VALID_DAYS)
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "fapi.binance.com"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == [
        "127.0.0.1",
        "::1",
        "10.0.0.7",
    ]
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc == made.until


def test_the_authority_signs_it_and_can_sign_nothing_else(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, [], NOW)
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    certificate.verify_directly_issued_by(authority)
    assert authority.public_key() != certificate.public_key()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.pem", "cert.pem", "key.pem"]
    assert made.key.read_text().count("PRIVATE KEY") == 2
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600


def test_the_key_is_that_of_the_certificate(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, [], NOW)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    public = x509.load_pem_x509_certificate(made.certificate.read_bytes()).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)


@pytest.mark.parametrize(
    "name",
    ["", "a b", "-a", "a-", "a..b", ".a", "*", "a.*.b", "\u00e9.com", "10.0.0.0/8", "x" * 64],
)
def test_what_is_no_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="neither a host name nor an IP address"):
        make_certificate(tmp_path / "tls", [name], NOW)
    assert not (tmp_path / "tls").exists()


@pytest.mark.parametrize("name", ["*.binance.com", "a", "a-b.c", "2001:db8::1", "x" * 63])
def test_what_is_a_name(tmp_path: Path, name: str) -> None:
    assert make_certificate(tmp_path, [name], NOW).names[-1] == name


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_nothing_is_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError):
        make_certificate(tmp_path, [], NOW)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
