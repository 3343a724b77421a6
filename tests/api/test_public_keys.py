"""Signatures by the private key of a pair, over REST and in messages."""

from base64 import b64encode
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tests.api.caller import Caller, fault_of, public_pem
from tests.api.offline import OfflineVenue, api_key, fault

from openperp.api.dispatch import Answer
from openperp.api.public_keys import PUBLIC_KEY_KINDS, public_key_verifier
from openperp.api.view import ApiKey

PATH = "/fapi/v2/balance"


@cache
def pair(kind: str, bits: int = 2048) -> Any:
    if kind == "rsa":
        return rsa.generate_private_key(65537, bits)
    return Ed25519PrivateKey.generate()


def sign(kind: str, text: str) -> str:
    key = pair(kind)
    if kind == "rsa":
        return b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    return b64encode(key.sign(text.encode())).decode()


@pytest.fixture(params=PUBLIC_KEY_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def offline(kind: str) -> OfflineVenue:
    """Alice's second key, named "pair", is a public one."""
    offline = OfflineVenue()
    verify = public_key_verifier(kind, public_pem(pair(kind)))
    offline.keys[api_key("pair").encode()] = ApiKey(1, verify, kind=kind)
    return offline


def ask(offline: OfflineVenue, query: str) -> Answer:
    return offline.ask("GET", PATH, query, headers={"X-MBX-APIKEY": api_key("pair")})


def test_a_signature_over_rest(offline: OfflineVenue, kind: str) -> None:
    query = f"timestamp={offline.now_ms}"
    signature = sign(kind, query)
    assert ask(offline, f"{query}&signature={quote(signature, safe='')}").status == 200
    assert ask(offline, f"{query}&signature={signature}").status == 200


def test_plus_signs_that_a_client_did_not_encode(offline: OfflineVenue, kind: str) -> None:
    tries = (f"x={number}&timestamp={offline.now_ms}" for number in range(1000))
    query = next(text for text in tries if "+" in sign(kind, text))
    assert ask(offline, f"{query}&signature={sign(kind, query)}").status == 200


def test_a_signature_in_a_form_body(offline: OfflineVenue, kind: str) -> None:
    body = f"symbol=BTCUSDT&leverage=7&timestamp={offline.now_ms}"
    headers = {"X-MBX-APIKEY": api_key("pair")}
    signed = f"{body}&signature={quote(sign(kind, body), safe='')}"
    assert offline.ask("POST", "/fapi/v1/leverage", "", signed, headers).status == 200


@pytest.mark.parametrize(
    "spoil",
    [
        lambda signature: signature[:-8],
        lambda signature: signature.swapcase(),
        lambda _signature: "0" * 64,
        lambda signature: "=" + signature,
        lambda _signature: "\u00e9" * 8,
        lambda _signature: "",
    ],
)
def test_a_wrong_signature(offline: OfflineVenue, kind: str, spoil: Any) -> None:
    query = f"timestamp={offline.now_ms}"
    answer = ask(offline, f"{query}&signature={quote(spoil(sign(kind, query)), safe='')}")
    assert fault(answer) == (400, -1022, "Signature for this request is not valid.")


def test_a_message_of_the_websocket_api(offline: OfflineVenue, kind: str) -> None:
    caller = Caller(offline, "pair")
    caller.sign = lambda text: sign(kind, text)
    assert caller.call("account.balance")["status"] == 200
    logon = caller.call("session.logon")
    if kind == "ed25519":
        assert logon["result"]["apiKey"] == api_key("pair")
    else:
        assert fault_of(logon) == (400, -4056, "Invalid api key type.")


def test_the_other_kind_of_key_is_refused(kind: str) -> None:
    other = next(name for name in PUBLIC_KEY_KINDS if name != kind)
    with pytest.raises(ValueError, match=f"not that of an {kind} pair"):
        public_key_verifier(kind, public_pem(pair(other)))


@pytest.mark.parametrize("bits", [1024, 5120])
def test_rsa_keys_have_bounds(bits: int) -> None:
    key = rsa.RSAPublicNumbers(65537, 2 ** (bits - 1) + 1).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(ValueError, match=f"{bits} bits; 2048 to 4096 are taken"):
        public_key_verifier("rsa", pem)


def test_what_is_no_public_key() -> None:
    private = pair("ed25519").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pem, sentence in (
        ("", "not in PEM form"),
        ("secret", "not in PEM form"),
        ("\u00e9", "not in PEM form"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n", "not in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not in PEM form"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no key within"),
        ("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n", "no key within"),
        (public_pem(pair("ed25519")) * 20, "more than 2000 characters"),
        (private.decode(), "this is a private key: keep it"),
        (public_pem(ec.generate_private_key(ec.SECP256R1())), "not that of an ed25519 pair"),
    ):
        with pytest.raises(ValueError, match=sentence):
            public_key_verifier("ed25519", pem)


@pytest.mark.parametrize("exponent", [0, 1, 2])
def test_numbers_that_are_no_rsa_key_are_not_taken_for_bad_pem(exponent: int) -> None:
    key = rsa.RSAPublicNumbers(3, 2**2047 + 1).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert der[-1] == 3
    text = b64encode(der[:-1] + bytes([exponent])).decode()
    pem = f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"
    with pytest.raises(ValueError, match=r"PEM form, and no key within: e must be"):
        public_key_verifier("rsa", pem)


def test_a_pem_text_may_have_other_line_ends() -> None:
    pem = public_pem(pair("ed25519")).replace("\n", "\r\n")
    verify = public_key_verifier("ed25519", f"\n{pem}  ")
    assert verify(b"text", sign("ed25519", "text"))
